from typing import Any

from wtforms import BooleanField, FileField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from governance.assurance.evidence.forms import Readable
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.owner_fields import OwnerField
from governance.kernel.days import DayField
from governance.kernel.forms import Choice, Form


def framework_choices() -> list[tuple[Any, str]]:
    return [
        ("", "Every control"),
        *((each.id, f"{each.title} {each.version}") for each in frameworks.frameworks()),
    ]


class EngagementForm(Readable):
    firm = StringField("Firm", [InputRequired("Which firm?"), Length(max=120)])
    framework_id = Choice(
        "Framework",
        [Optional()],
        choices=framework_choices,
        description="Its scope is the controls that answer for it.",
    )
    criteria = StringField(
        "Criteria",
        [Length(max=2000)],
        description="Refs, separated by commas, with all below them. Empty: the whole framework.",
    )
    period_from = DayField("Period from")
    period_to = DayField("Period to")
    fieldwork_from = DayField(
        "Fieldwork from", description="Access opens at the beginning of this day, by itself."
    )
    fieldwork_to = DayField(
        "Fieldwork to", description="Access closes at the end of this day, by itself."
    )
    freezes_changes = BooleanField(
        "Evidence and controls are read-only during the fieldwork",
        description=(
            "Nobody changes them then; requests are answered with the versions that are there."
        ),
    )
    version = HiddenField()


class EndForm(Form):
    reason = TextAreaField("Reason", [InputRequired("Say why it ends now."), Length(max=2000)])


class AuditorForm(Form):
    name = StringField("Name", [InputRequired("What is the person called?"), Length(max=120)])
    email = StringField(
        "Mail address", [InputRequired("Where does the invitation go?"), Length(max=254)]
    )
    way = RadioField(
        "Comes in by",
        choices=[
            ("sso", "The firm's own sign-in, through this tenant's connection"),
            ("link", "A link, and each time a code by mail"),
        ],
        default="link",
        validators=[InputRequired("Choose how the person comes in.")],
    )


class RequestForm(Readable):
    title = StringField("Request", [InputRequired("What is asked for?"), Length(max=300)])
    detail = TextAreaField("Details", [Length(max=4000)])
    criteria = StringField("Criteria", [Length(max=1000)], description="Refs, separated by commas.")
    due_on = DayField("Due", required=False)
    owner_id = OwnerField()
    ref = StringField(
        "Ref", [Length(max=40)], description="The firm's own number, or empty for the next one."
    )


class AssignRequestForm(Readable):
    owner_id = OwnerField()
    due_on = DayField("Due", required=False)
    version = HiddenField()


class ListForm(Form):
    file = FileField(
        "The list (XLSX)",
        description=(
            "One row a request. A column named Request, Item or Title says what is asked for."
        ),
    )


class SayForm(Form):
    """One text for several verbs: each has its own address."""

    text = TextAreaField("Remark", [Length(max=4000)])
    version = HiddenField()  # of the request as the page shows it


class AttachForm(Form):
    """What is shown is narrowed by a search; what may be attached is the action's to say."""

    version_id = Choice(
        "Version of evidence",
        [InputRequired("Choose a version.")],
        choices=list,
        validate_choice=False,
    )
