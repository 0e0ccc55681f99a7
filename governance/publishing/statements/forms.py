"""Forms of disputes, claims and payments."""

from datetime import UTC, datetime
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
from wtforms.validators import DataRequired, Length, Optional

from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid
from governance.kernel.formatting import zone
from governance.kernel.web.forms import Form, uuid_or_none

INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the options."}
TIME_FORMATS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]


class DisputeForm(Form):
    kind = RadioField(
        "What is wrong",
        choices=[("exclusion", "An exclusion"), ("minutes", "Minutes of an indicator")],
        default="exclusion",
        **INVALID_CHOICE,
    )
    exclusion = SelectField("Exclusion", [Optional()], choices=[], validate_choice=False)
    indicator = SelectField("Indicator", [Optional()], choices=[], validate_choice=False)
    starts_at = DateTimeLocalField("First minute", [Optional()], format=TIME_FORMATS)
    ends_at = DateTimeLocalField("End", [Optional()], format=TIME_FORMATS)
    reason = TextAreaField("Reason", [DataRequired("Explain what is wrong."), Length(max=2000)])
    step = HiddenField(default="preview")


def instant(local: datetime | None, field: str) -> datetime:
    """Return the tenant's local time as an instant. Raises Invalid without one."""
    if local is None:
        raise Invalid("Enter a time.", field=field)
    return local.replace(tzinfo=zone(), second=0, microsecond=0).astimezone(UTC)


class AnswerForm(Form):
    decision = RadioField(
        "Decision",
        [DataRequired("Choose a decision.")],
        choices=[("accepted", "Accept the dispute"), ("rejected", "Reject the dispute")],
        **INVALID_CHOICE,
    )
    answer = TextAreaField(
        "Answer",
        [DataRequired("Give the reasons of your answer."), Length(max=2000)],
        description="The tenant reads it on the statement.",
    )


class ClaimForm(Form):
    bill = StringField(
        "Vendor's bill of the month",
        [Optional(), Length(max=40)],
        description="For this tenant, such as 3,140.00. Without it, the agreement's fee is used.",
    )
    request_ids = TextAreaField(
        "Request IDs", [Optional()], description="One a line, if you have them."
    )
    step = HiddenField(default="preview")


class SentForm(Form):
    reference = StringField(
        "Vendor's reference", [Optional(), Length(max=200)], description="Such as a ticket number."
    )


class SettleForm(Form):
    outcome = RadioField(
        "The vendor",
        [DataRequired("Choose what the vendor did.")],
        choices=[("paid", "Paid the claim"), ("rejected", "Rejected the claim")],
        **INVALID_CHOICE,
    )
    paid = StringField("Amount paid", [Optional(), Length(max=40)])
    note = TextAreaField("Note", [Optional(), Length(max=2000)])


class PaymentForm(Form):
    amount = StringField("Amount", [DataRequired("Enter the amount."), Length(max=40)])
    note = StringField("Invoice or credit note", [DataRequired("Name it."), Length(max=200)])
    once = HiddenField()

    @property
    def entry_id(self) -> UUID:
        """Return the id chosen when the form was opened, so that sending it twice records one
        payment.
        """
        return uuid_or_none(self.once.data) or uuid7()
