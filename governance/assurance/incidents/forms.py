"""Forms of incidents. They check the shape of the input; the rules are in the actions."""

from datetime import datetime
from typing import Any
from uuid import UUID

from wtforms import (
    DateTimeLocalField,
    HiddenField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from governance.assurance.incidents.review_actions import PART_NAMES, PROMPTS
from governance.assurance.incidents.severity_queries import severity_names
from governance.assurance.incidents.text_fields import (
    MAX_LINE_LENGTH,
    MAX_TEXT_LENGTH,
    MAX_TITLE_LENGTH,
)
from governance.foundation.people import owners
from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import owner_choices
from governance.kernel import formatting
from governance.kernel.data.ids import uuid7
from governance.kernel.days import DayField
from governance.kernel.web.forms import Choice, Choices, Form, constraint, stripped, uuid_or_none
from governance.operations.systems import queries as systems

INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the options."}
TIME_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]
LONG, LINE = Length(max=MAX_TEXT_LENGTH), Length(max=MAX_LINE_LENGTH)
constraint(
    "uq_incident_notices_tenant_id_incident_id_regime_stage",
    "Someone else recorded this notice at the same time. Reload the page to see it.",
)
constraint("uq_status_contacts_open", "This person is already a contact.", field="email")


def local(at: datetime | None) -> datetime | None:
    """Return an instant as the form field shows it."""
    return at.astimezone(formatting.zone()).replace(tzinfo=None) if at else None


def _severities() -> list[tuple[str, str]]:
    return [(str(each.level), f"{each.name}: {each.meaning}") for each in severity_names().values()]


class SummaryForm(Form):
    """The title, summary, severity and times of an incident."""

    version = HiddenField("Version")
    title = StringField(
        "Title",
        [InputRequired("Enter a title that says what happened."), Length(max=MAX_TITLE_LENGTH)],
        filters=[stripped],
        description="What happened, as far as you know it. You can change it later.",
    )
    severity = RadioField(
        "Severity", [InputRequired("Choose a severity.")], choices=_severities, **INVALID_CHOICE
    )
    summary = TextAreaField(
        "Summary",
        [LONG],
        filters=[stripped],
        description="Customer updates and notices start from it.",
    )
    aware_at = DateTimeLocalField(
        "Aware since",
        [Optional()],
        format=TIME_FORMATS,
        description="Statutory clocks start here. Leave it empty for now.",
    )


class DeclareForm(SummaryForm):
    systems = Choices("AI systems", [Optional()], choices=systems.choices, **INVALID_CHOICE)
    impact_from = DateTimeLocalField(
        "Impact since",
        [Optional()],
        format=TIME_FORMATS,
        description="Leave it empty if it began when you became aware.",
    )
    lead_id = OwnerField(
        "Lead", choices=owner_choices, description="Without a choice, you lead it."
    )
    once = HiddenField()

    @property
    def incident_id(self) -> UUID:
        """The id chosen when the form was opened, so that a second submission is the same incident."""
        return uuid_or_none(self.once.data) or uuid7()


class RolesForm(Form):
    version = HiddenField("Version")
    lead_id = OwnerField("Lead", description="Decides, and moves the incident on.")
    communications_id = OwnerField(
        "Communications", description="Writes to customers and authorities."
    )
    scribe_id = OwnerField("Scribe", description="Keeps the timeline.")


def lead_choices() -> owners.Choices:
    """Return the choices of a lead for several incidents. Removing the lead is not one of them."""
    return owners.assignee_choices("Choose a lead", removable=False)


class AssignLeadForm(Form):
    owner_id = OwnerField("Lead", required="Choose a lead.", choices=lead_choices)


class StateForm(Form):
    """A form to move one state forward, or back with a reason."""

    state = HiddenField("State", [InputRequired()])
    reason = TextAreaField("Reason", [Length(max=MAX_LINE_LENGTH * 10)], filters=[stripped])


class NoteForm(Form):
    text = TextAreaField("Note", [InputRequired("Enter a note."), LONG], filters=[stripped])


class IncidentReasonForm(Form):
    """The reason to pause a clock or dismiss a suggestion. The action checks that it's there."""

    reason = TextAreaField("Reason", [Length(max=MAX_LINE_LENGTH * 10)], filters=[stripped])


class ImpactForm(Form):
    system_id = Choice(
        "AI system",
        [InputRequired("Choose an AI system.")],
        choices=systems.choices,
        **INVALID_CHOICE,
    )
    starts_at = DateTimeLocalField(
        "Start", [InputRequired("Enter when it began.")], format=TIME_FORMATS
    )
    ends_at = DateTimeLocalField(
        "End",
        [Optional()],
        format=TIME_FORMATS,
        description="Leave it empty while the impact lasts.",
    )
    note = StringField("Note", [LINE], filters=[stripped])


class FigureForm(Form):
    figure = StringField(
        "Figure",
        [InputRequired("Enter a figure.")],
        filters=[stripped],
        description="For example “231 of 318”",
    )
    meaning = StringField(
        "What it counts",
        [InputRequired("Enter what the figure counts."), LINE],
        filters=[stripped],
        description="For example “approvals cite a withdrawn clause”",
    )


class UpdateForm(Form):
    version = HiddenField("Version")
    title = StringField(
        "Title",
        [InputRequired("Enter a title."), Length(max=MAX_TITLE_LENGTH)],
        filters=[stripped],
    )
    body = TextAreaField(
        "Text",
        [InputRequired("Enter what you tell the customers."), LONG],
        filters=[stripped],
        description="Begin what nobody knows yet with “Unknown:”, on a line of its own.",
    )


class ClassifyForm(Form):
    """A decision on a law. `version` is the version of the decision that the person saw."""

    version = HiddenField("Version")
    applies = RadioField(
        "Does it apply?",
        [InputRequired("Choose whether it applies.")],
        choices=[("yes", "It applies"), ("no", "It doesn't apply")],
        **INVALID_CHOICE,
    )
    variant = SelectField("Case", [Optional()], choices=[], validate_choice=False)
    reason = TextAreaField(
        "Reason",
        [LINE],
        filters=[stripped],
        description="Required if it doesn't apply. It stays on the page.",
    )


class DeciderForm(Form):
    decider_id = OwnerField("Who decides", required="Choose who decides.")
    decide_by = DateTimeLocalField("Decide by", [Optional()], format=TIME_FORMATS)


class NoticeForm(Form):
    sent_at = DateTimeLocalField(
        "Sent", [InputRequired("Enter when it was sent.")], format=TIME_FORMATS
    )
    recipient = StringField(
        "Recipient", [InputRequired("Enter the recipient."), LINE], filters=[stripped]
    )
    reference = StringField(
        "Reference",
        [LINE],
        filters=[stripped],
        description="The number that the authority gave it, if any.",
    )


class FollowUpForm(Form):
    title = StringField(
        "Action",
        [InputRequired("Enter what to change."), Length(max=MAX_TITLE_LENGTH)],
        filters=[stripped],
    )
    owner_id = OwnerField(required="Choose an owner.")
    due_on = DayField("Due", required="Choose a due date.")


class FollowUpAssignmentForm(Form):
    """The owner and due date of an open follow-up action."""

    owner_id = OwnerField(required="Choose an owner.")
    due_on = DayField("Due", required="Choose a due date.")


def _part(name: str) -> TextAreaField:
    return TextAreaField(PART_NAMES[name], [LONG], filters=[stripped], description=PROMPTS[name])


class ReviewForm(Form):
    version = HiddenField("Version")
    happened = _part("happened")
    impact = _part("impact")
    factors = _part("factors")
    went_well = _part("went_well")
    to_change = _part("to_change")


class SeverityForm(Form):
    """The names and meanings of all four severities."""

    name_1 = StringField("Severity 1", [InputRequired("Enter a name.")], filters=[stripped])
    meaning_1 = StringField("Meaning", [InputRequired("Enter what it means.")], filters=[stripped])
    name_2 = StringField("Severity 2", [InputRequired("Enter a name.")], filters=[stripped])
    meaning_2 = StringField("Meaning", [InputRequired("Enter what it means.")], filters=[stripped])
    name_3 = StringField("Severity 3", [InputRequired("Enter a name.")], filters=[stripped])
    meaning_3 = StringField("Meaning", [InputRequired("Enter what it means.")], filters=[stripped])
    name_4 = StringField("Severity 4", [InputRequired("Enter a name.")], filters=[stripped])
    meaning_4 = StringField("Meaning", [InputRequired("Enter what it means.")], filters=[stripped])


class ContactForm(Form):
    name = StringField("Name", [InputRequired("Enter the contact's name.")], filters=[stripped])
    email = StringField("Email", [InputRequired("Enter an email address.")], filters=[stripped])
