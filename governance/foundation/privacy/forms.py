from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.foundation.people import queries as people
from governance.foundation.privacy.retention_actions import (
    MAX_RETENTION_MONTHS,
    MIN_RETENTION_MONTHS,
)
from governance.kernel.web.forms import Choice, Form, constraint, stripped

MAX_PEOPLE_LISTED = 1000
REASON_NEEDED = "Enter a reason. It is kept in the audit log, encrypted."

constraint(
    "uq_erasures_open", "The erasure of this person has already been requested.", field="member"
)
constraint(
    "uq_retention_rules_tenant_id",
    "Someone else changed this at the same time. Reload the page, then save again.",
    field="months",
)


def everyone() -> list[tuple[object, str]]:
    """List members and former members, except those who were erased."""
    return [
        (m.id, f"{m.person.name}{', former member' if m.ended_at else ''}")
        for m in people.everyone(limit=MAX_PEOPLE_LISTED)
    ]


def or_all() -> list[tuple[object, str]]:
    return [("", "Everyone in this tenant"), *everyone()]


class ErasureRequestForm(Form):
    member = Choice("Person", [InputRequired("Choose a person.")], choices=everyone)
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class UnmaskingRequestForm(Form):
    subject = StringField(
        "Pseudonym", [InputRequired("Enter a pseudonym."), Length(max=64)], filters=[stripped]
    )
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class LegalHoldForm(Form):
    member = Choice("Covers", [Optional()], choices=or_all)
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class LegalHoldReleaseForm(Form):
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class LogRetentionForm(Form):
    months = IntegerField(
        "Months",
        [
            InputRequired("Enter the number of months."),
            NumberRange(
                MIN_RETENTION_MONTHS,
                MAX_RETENTION_MONTHS,
                f"Enter {MIN_RETENTION_MONTHS} to {MAX_RETENTION_MONTHS} months.",
            ),
        ],
    )
    version = HiddenField("Version")
