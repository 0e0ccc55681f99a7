from typing import Any

from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import member_assignees, member_choices
from governance.kernel.forms import Form, constraint, stripped
from governance.operations.systems.models import LANES

constraint(
    "uq_ai_systems_tenant_id_key",
    "Another AI system already has this slug. Choose another.",
    field="key",
)

INVALID_RISK_CLASS: dict[str, Any] = {"invalid_choice_message": "Choose a risk class."}
REASON_NEEDED = "Enter a reason. It is kept in the audit log."


def lanes() -> list[tuple[str, str]]:
    return list(LANES.items())


class SystemRegisterForm(Form):
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[stripped])
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=41)],
        filters=[stripped],
        description=(
            "Lowercase letters, digits and hyphens, such as claims-triage. It can't be changed"
            " later."
        ),
    )
    lane = RadioField(
        "Risk class",
        [InputRequired("Choose a risk class.")],
        choices=lanes,
        default="standard",
        **INVALID_RISK_CLASS,
    )
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Describe its purpose."), Length(max=2000)],
        filters=[stripped],
        description="What it decides or produces, and who uses it.",
    )
    owner_id = OwnerField(choices=member_choices)


class SystemRetireForm(Form):
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class SystemEditForm(Form):
    seen = HiddenField("Seen")
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[stripped])
    purpose = TextAreaField(
        "Purpose",
        [DataRequired("Describe its purpose."), Length(max=2000)],
        filters=[stripped],
        description="What it decides or produces, and who uses it.",
    )
    owner_id = OwnerField(choices=member_choices)


class AssignSystemsForm(Form):
    owner_id = OwnerField(required="Choose an owner.", choices=member_assignees)


class RiskClassForm(Form):
    lane = HiddenField("Lane")
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )


class FeatureForm(Form):
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=41)],
        filters=[stripped],
        description=(
            "Lowercase letters, digits and hyphens, such as auto-approve. It can't be changed"
            " later."
        ),
    )
    fallback = StringField(
        "While it is stopped",
        [DataRequired("Describe what happens while it is stopped."), Length(max=200)],
        filters=[stripped],
        description=(
            "One line that people read before they stop it, such as: claims under €1,500 go to an"
            " adjuster."
        ),
    )
