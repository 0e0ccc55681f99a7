from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, NumberRange, Optional

from governance.foundation.people import queries as people
from governance.foundation.people.forms import stripped
from governance.foundation.privacy.actions import LEAST_MONTHS, MOST_MONTHS
from governance.kernel.forms import Choice, Form, constraint

MOST_PEOPLE = 1000
WHY = "Say why: the reason goes into the log, sealed."

constraint("uq_erasures_open", "The erasure of this person is already requested.", field="member")
constraint(
    "uq_retention_rules_tenant_id",
    "Somebody else set this meanwhile. Reload the page.",
    field="months",
)


def everyone() -> list[tuple[object, str]]:
    """Members and former members; nobody who was erased."""
    return [
        (m.id, f"{m.person.name}{', former member' if m.ended_at else ''}")
        for m in people.everyone(limit=MOST_PEOPLE)
    ]


def or_all() -> list[tuple[object, str]]:
    return [("", "Everybody in this tenant"), *everyone()]


class AskErasureForm(Form):
    member = Choice("Person", [InputRequired("Whose data is to be erased?")], choices=everyone)
    reason = TextAreaField("Reason", [InputRequired(WHY), Length(max=2000)], filters=[stripped])


class AskUnmaskForm(Form):
    subject = StringField(
        "Pseudonym", [InputRequired("Whose name do you need?"), Length(max=64)], filters=[stripped]
    )
    reason = TextAreaField("Reason", [InputRequired(WHY), Length(max=2000)], filters=[stripped])


class HoldForm(Form):
    member = Choice("Covers", [Optional()], choices=or_all)
    reason = TextAreaField("Reason", [InputRequired(WHY), Length(max=2000)], filters=[stripped])


class ReleaseForm(Form):
    reason = TextAreaField("Reason", [InputRequired(WHY), Length(max=2000)], filters=[stripped])


class RetentionForm(Form):
    months = IntegerField(
        "Months",
        [
            InputRequired("How many months?"),
            NumberRange(
                LEAST_MONTHS, MOST_MONTHS, f"Between {LEAST_MONTHS} and {MOST_MONTHS} months."
            ),
        ],
    )
    version = HiddenField("Version")
