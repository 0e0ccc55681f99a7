from typing import Any

from wtforms import BooleanField, FileField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, Optional

from governance.assurance.evidence.forms import ReadableForm
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.owner_fields import NeedsOwnerOrDay, OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.kernel.days import DayField
from governance.kernel.web.forms import Choice, Form


def framework_choices() -> list[tuple[Any, str]]:
    return [
        ("", "Every control"),
        *((each.id, each.name) for each in frameworks.frameworks()),
    ]


class EngagementForm(ReadableForm):
    firm = StringField(
        "Audit firm", [InputRequired("Enter the name of the audit firm."), Length(max=120)]
    )
    framework_id = Choice(
        "Framework",
        [Optional()],
        choices=framework_choices,
        description="Controls that map to this framework are in scope.",
    )
    criteria = StringField(
        "Criteria",
        [Length(max=2000)],
        description=(
            "Requirement refs, separated by commas. Everything below them is included. Leave empty"
            " for the whole framework."
        ),
    )
    period_from = DayField("Period start")
    period_to = DayField("Period end")
    fieldwork_from = DayField(
        "Fieldwork start", description="Auditors get access at the start of this day."
    )
    fieldwork_to = DayField(
        "Fieldwork end", description="Auditors lose access at the end of this day."
    )
    freezes_changes = BooleanField(
        "Make evidence and controls read-only during the fieldwork",
        description="You can still respond to requests with existing evidence versions.",
    )
    shows_names = BooleanField(
        "Show names of people to its auditors",
        description="Without it they read roles with letters, such as Officer B, which are the same"
        " on every page and in packages. Signed reports name the people who signed.",
    )
    version = HiddenField()


class EndEngagementForm(Form):
    reason = TextAreaField("Reason", [InputRequired("Enter a reason."), Length(max=2000)])


class AuditorForm(Form):
    name = StringField("Name", [InputRequired("Enter the auditor's name."), Length(max=120)])
    email = StringField(
        "Email", [InputRequired("Enter the auditor's email address."), Length(max=254)]
    )
    way = RadioField(
        "Sign-in method",
        choices=[
            ("sso", "Single sign-on with this tenant's identity provider"),
            ("link", "Personal link, with a code by email at each sign-in"),
        ],
        default="link",
        validators=[InputRequired("Choose a sign-in method.")],
    )


class RequestForm(ReadableForm):
    title = StringField("Request", [InputRequired("Describe the request."), Length(max=300)])
    detail = TextAreaField("Details", [Length(max=4000)])
    criteria = StringField(
        "Criteria", [Length(max=1000)], description="Requirement refs, separated by commas."
    )
    due_on = DayField("Due", required=False)
    owner_id = OwnerField()
    ref = StringField(
        "Ref", [Length(max=40)], description="The firm's own number. Leave empty for the next one."
    )


class AssignRequestForm(ReadableForm):
    owner_id = OwnerField()
    due_on = DayField("Due", required=False)
    version = HiddenField()


class AssignRequestsForm(NeedsOwnerOrDay, ReadableForm):
    """Form that assigns several requests. An empty field changes nothing."""

    owner_id = OwnerField(choices=lambda: assignee_choices("Keep each owner"))
    due_on = DayField("Due", required=False)


class RequestListForm(Form):
    file = FileField(
        "Request list (XLSX)",
        description="One request per row, with a column named Request, Item or Title.",
    )


class RequestCommentForm(Form):
    """Comment form shared by the comment, provide, accept and return buttons of a request."""

    text = TextAreaField("Comment", [Length(max=4000)])
    version = HiddenField()  # The version of the request that the page shows.


class AttachVersionForm(Form):
    """Form that attaches an evidence version.

    The choices depend on a search, so the form accepts any version and the action checks it.
    """

    version_id = Choice(
        "Evidence version",
        [InputRequired("Choose a version.")],
        choices=list,
        validate_choice=False,
    )
