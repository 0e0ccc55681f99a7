from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.foundation.people import queries as people
from governance.foundation.people.forms import stripped
from governance.foundation.privacy.actions import LEAST_MONTHS, MOST_MONTHS
from governance.kernel.forms import Choice, Form, constraint

MOST_PEOPLE = 1000
REASON_NEEDED = "Give a reason. It is kept in the audit log, encrypted."

constraint(
    "uq_erasures_open", "The erasure of this person has already been requested.", field="member"
)
constraint(
    "uq_retention_rules_tenant_id",
    "Someone else changed this at the same time. Reload the page, then save again.",
    field="months",
)


def everyone() -> list[tuple[object, str]]:
    """Members and former members; nobody who was erased."""
    return [
        (m.id, f"{m.person.name}{', former member' if m.ended_at else ''}")
        for m in people.everyone(limit=MOST_PEOPLE)
    ]


def or_all() -> list[tuple[object, str]]:
    return [("", "Everyone in this tenant"), *everyone()]


class AskErasureForm(Form):
    member = Choice("Person", [InputRequired("Choose a person.")], choices=everyone)
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class AskUnmaskForm(Form):
    subject = StringField(
        "Pseudonym", [InputRequired("Enter a pseudonym."), Length(max=64)], filters=[stripped]
    )
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class HoldForm(Form):
    member = Choice("Covers", [Optional()], choices=or_all)
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class ReleaseForm(Form):
    reason = TextAreaField(
        "Reason", [InputRequired(REASON_NEEDED), Length(max=2000)], filters=[stripped]
    )


class RetentionForm(Form):
    months = IntegerField(
        "Months",
        [
            InputRequired("Enter the number of months."),
            NumberRange(
                LEAST_MONTHS, MOST_MONTHS, f"Enter {LEAST_MONTHS} to {MOST_MONTHS} months."
            ),
        ],
    )
    version = HiddenField("Version")
