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

from governance.assurance.evidence.actions import CONFIDENTIALITY, KINDS, LIMIT
from governance.assurance.evidence.file_types import IN_WORDS
from governance.assurance.evidence.freshness import CADENCES
from governance.assurance.evidence.queries import control_choices
from governance.assurance.evidence.retention import LEAST, MOST
from governance.foundation.people.owner_fields import OwnerField
from governance.foundation.people.owners import assignee_choices
from governance.kernel.days import DayField
from governance.kernel.forms import Choice, Choices, Form


class Readable(Form):
    """Says in words what is wrong with a choice."""

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
                field.errors = [f"{field.label.text}: that is not a choice here."]
        return fine


class Controls(Choices):
    """Several controls, as one select: a tenant has too many for check boxes."""


class EvidenceForm(Readable):
    title = StringField(
        "Title",
        [InputRequired("What is it called?"), Length(max=200)],
        description="What it is, without a date: Penetration test report.",
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
        description="Counts until a first version is accepted; from then on its validity does.",
    )


class BeginForm(EvidenceForm):
    owner_id = OwnerField()
    controls = Controls("Controls it supports", [Optional()], choices=control_choices)
    note = StringField("How it supports them", [Length(max=500)])


class EditForm(EvidenceForm):
    version = HiddenField()


class VersionForm(Readable):
    file = FileField(
        "Choose a file",
        description=f"{IN_WORDS}; {LIMIT // 1024**3} GB at most. Its type is found by its content.",
    )
    url = StringField(
        "Or a link to where it is kept",
        [Length(max=2000)],
        description="https only. A link has no hash: we cannot prove what it showed.",
    )
    collected_on = DayField(
        "Collected on", description="The day on which it was taken from its source."
    )
    period_from = DayField("Covers from")
    period_to = DayField("Covers to")
    valid_until = DayField("Valid until", description="The day after it, the evidence is overdue.")
    source = StringField(
        "Source", [Length(max=120)], description="The system or the company that it comes from."
    )

    @property
    def dates(self) -> dict[str, date]:
        """What the actions take; only after validation."""
        return {
            name: self[name].data
            for name in ("collected_on", "period_from", "period_to", "valid_until")
        }


class ReviewForm(Readable):
    decision = RadioField(
        "Judgement",
        [InputRequired("Accept it or reject it.")],
        choices=[("accepted", "Accept it"), ("rejected", "Reject it")],
    )
    because = TextAreaField(
        "Reason", [Length(max=2000)], description="Needed to reject. The collector reads it."
    )


class AssignForm(Readable):
    """Of one row and of several: an owner, or the choice to remove the owner."""

    owner_id = OwnerField(required="Choose an owner.", choices=assignee_choices)


class LinkForm(Readable):
    control_id = Choice(
        "Control",
        [InputRequired("Choose a control.")],
        choices=lambda: [("", "Choose a control"), *control_choices()],
    )
    note = StringField("How it supports the control", [Length(max=500)])


class RetireForm(Readable):
    because = TextAreaField(
        "Why is it retired?",
        [InputRequired("Say why: the reason is kept with it."), Length(max=2000)],
    )


class HoldForm(Readable):
    because = TextAreaField(
        "Why?", [InputRequired("Say why: the reason is kept with the hold."), Length(max=2000)]
    )


class DestructionForm(Readable):
    because = TextAreaField(
        "Reason", [InputRequired("Enter a reason. It stays with the record."), Length(max=2000)]
    )


class RetentionForm(Readable):
    kind = HiddenField()
    months = IntegerField(
        "Months", [Optional()], description=f"{LEAST} to {MOST}; empty: for ever."
    )
    version = HiddenField()
