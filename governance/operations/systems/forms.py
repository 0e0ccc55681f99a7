from typing import Any

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import member_choices
from governance.kernel.forms import Form, constraint
from governance.operations.systems.models import LANES

constraint(
    "uq_ai_systems_tenant_id_key", "Another AI system has that short name already.", field="key"
)

REFUSED: dict[str, Any] = {"invalid_choice_message": "That is not a choice here."}


def lanes() -> list[tuple[str, str]]:
    return list(LANES.items())


def stripped(value: str | None) -> str | None:
    return value.strip() if value else value


class RegisterForm(Form):
    name = StringField(
        "Name", [DataRequired("What is it called?"), Length(max=120)], filters=[stripped]
    )
    key = StringField(
        "Short name",
        [DataRequired("It needs a short name for addresses."), Length(max=41)],
        filters=[stripped],
        description="Small letters, digits and hyphens, such as claims-triage. It never changes.",
    )
    lane = RadioField(
        "Lane", [InputRequired("Choose a lane.")], choices=lanes, default="standard", **REFUSED
    )
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Say what it is for."), Length(max=2000)],
        filters=[stripped],
        description="What it decides or produces, and for whom.",
    )
    owner_id = OwnerField(choices=member_choices)


class RetireForm(Form):
    reason = TextAreaField(
        "Why is it retired?",
        [DataRequired("Say why: the reason is kept with the change."), Length(max=2000)],
        filters=[stripped],
    )


class EditForm(Form):
    seen = HiddenField("Seen")
    name = StringField(
        "Name", [DataRequired("What is it called?"), Length(max=120)], filters=[stripped]
    )
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Say what it is for."), Length(max=2000)],
        filters=[stripped],
        description="What it decides or produces, and for whom.",
    )
    owner_id = OwnerField(choices=member_choices)


class LaneForm(Form):
    lane = HiddenField("Lane")
    reason = TextAreaField(
        "Why is it raised?",
        [DataRequired("Say why: the reason is kept with the change."), Length(max=2000)],
        filters=[stripped],
    )


class FeatureForm(Form):
    key = StringField(
        "Short name",
        [DataRequired("It needs a short name for its flag."), Length(max=41)],
        filters=[stripped],
        description="Small letters, digits and hyphens, such as auto-approve. It never changes.",
    )
    fallback = StringField(
        "While it is stopped",
        [DataRequired("Say what happens instead while it is stopped."), Length(max=200)],
        filters=[stripped],
        description=(
            "In a line, for who is about to stop it: claims under €1,500 go to an adjuster instead."
        ),
    )
