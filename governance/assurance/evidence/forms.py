from datetime import date
from typing import Any

from wtforms import (
    FileField,
    HiddenField,
    IntegerField,
    RadioField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.validators import InputRequired, Length, Optional

from governance.assurance.evidence.actions import CONFIDENTIALITY, KINDS
from governance.assurance.evidence.file_types import IN_WORDS
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.evidence.queries import control_choices
from governance.assurance.evidence.retention import MAX_MONTHS, MIN_MONTHS
from governance.assurance.evidence.version_actions import MAX_FILE_BYTES
from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.kernel.days import DayField
from governance.kernel.web.forms import Choice, Choices, Form


class ReadableForm(Form):
    """Base form that explains an invalid choice."""

    def validate(self, extra_validators: Any = None) -> bool:
        fine = bool(super().validate(extra_validators))
        for field in self:
            if (
                isinstance(field, SelectField)
                and not isinstance(field, OwnerField)
                and field.errors
                and field.raw_data
                and field.raw_data[0]
            ):
                field.errors = [f"{field.label.text}: choose an option from the list."]
        return fine


class ControlChoices(Choices):
    """Multiple select of controls, since a tenant has too many for check boxes."""


class EvidenceForm(ReadableForm):
    title = StringField(
        "Title",
        [InputRequired("Enter a title."), Length(max=200)],
        description="A name without a date, for example Penetration test report.",
    )
    kind = SelectField("Kind", choices=[(k, k.capitalize()) for k in KINDS])
    cadence = SelectField(
        "Cadence",
        choices=[(c, c.capitalize()) for c in CADENCES],
        default="quarterly",
        description="How often a new version is expected.",
    )
    confidentiality = SelectField(
        "Confidentiality",
        choices=[(c, c.capitalize()) for c in CONFIDENTIALITY],
        default="internal",
    )
    due_on = DayField(
        "First version due",
        required=False,
        description=(
            "Applies until a version is accepted. After that, the validity of the version counts."
        ),
    )


class EvidenceCreateForm(EvidenceForm):
    owner_id = OwnerField()
    controls = ControlChoices("Controls it supports", [Optional()], choices=control_choices)
    note = StringField("How it supports them", [Length(max=500)])


class EvidenceEditForm(EvidenceForm):
    version = HiddenField()


class UploadForm(ReadableForm):
    file = FileField(
        "Choose a file",
        description=(
            f"{IN_WORDS}, up to {MAX_FILE_BYTES // 1024**3} GB. Meridian checks the type"
            " by content."
        ),
    )
    url = StringField(
        "Or link to it",
        [Length(max=2000)],
        description=(
            "https only. Links aren't hashed, so Meridian can't prove what the page showed."
        ),
    )
    collected_on = DayField("Collected on", description="The date you exported or received it.")
    period_from = DayField("Covers from")
    period_to = DayField("Covers to")
    valid_until = DayField("Valid until", description="The evidence becomes overdue the next day.")
    source = StringField(
        "Source", [Length(max=120)], description="The system or company it comes from."
    )

    @property
    def dates(self) -> dict[str, date]:
        """Dates as arguments of the actions. Use after validation."""
        return {
            name: self[name].data
            for name in ("collected_on", "period_from", "period_to", "valid_until")
        }


class ReviewForm(ReadableForm):
    decision = RadioField(
        "Decision",
        [InputRequired("Choose accept or reject.")],
        choices=[("accepted", "Accept"), ("rejected", "Reject")],
    )
    reason = TextAreaField(
        "Reason", [Length(max=2000)], description="Required to reject. The owner can read it."
    )


class AssignOwnerForm(ReadableForm):
    """Form that assigns an owner to one or several rows, or removes the owner."""

    owner_id = OwnerField(required="Choose an owner.", choices=assignee_choices)


class ControlLinkForm(ReadableForm):
    control_id = Choice(
        "Control",
        [InputRequired("Choose a control.")],
        choices=lambda: [("", "Choose a control"), *control_choices()],
    )
    note = StringField("How it supports the control", [Length(max=500)])


class RetirementForm(ReadableForm):
    reason = TextAreaField(
        "Reason",
        [InputRequired("Enter a reason. It is stored with the record."), Length(max=2000)],
    )


class LegalHoldForm(ReadableForm):
    reason = TextAreaField(
        "Reason", [InputRequired("Enter a reason. It is stored with the hold."), Length(max=2000)]
    )


class DeletionForm(ReadableForm):
    reason = TextAreaField(
        "Reason", [InputRequired("Enter a reason. It is stored with the record."), Length(max=2000)]
    )


class EvidenceRetentionForm(ReadableForm):
    kind = HiddenField()
    months = IntegerField(
        "Months",
        [Optional()],
        description=(
            f"{MIN_MONTHS} to {MAX_MONTHS} months. Leave it empty to keep files indefinitely."
        ),
    )
    version = HiddenField()
