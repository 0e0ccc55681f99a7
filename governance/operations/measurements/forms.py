"""Forms of indicators."""

from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import Field, IntegerField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional
from wtforms.widgets import TextInput

from governance.foundation.tenants.forms import one_line
from governance.kernel.web.forms import Choice, Form, constraint, stripped
from governance.operations.measurements.models import KINDS, SOURCES
from governance.operations.systems import queries as systems

constraint(
    "uq_indicators_tenant_id_key",
    "Another indicator already has this slug. Choose another.",
    field="key",
)

REASON_NEEDED = "Enter a reason. It is kept in the audit log."
GOOD_SIDES = (("at_most", "At most the bound"), ("more_than", "More than the bound"))
MAX_DIGITS = 12  # Digits before the point, and after it
INVALID_CHOICE: dict[str, Any] = {"invalid_choice_message": "Choose one of the list."}


class DecimalField(Field):
    """An exact decimal, shown as it was typed."""

    widget = TextInput()
    data: Decimal | None

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else f"{self.data:f}"

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the submitted text. Blank text means no value."""
        sent, self.data = " ".join(valuelist or ()).strip(), None
        if not sent:
            self.raw_data = []
            return
        try:
            number = Decimal(sent)
        except InvalidOperation:
            raise ValueError("Enter a number such as 0.5.") from None
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int) or abs(exponent) > MAX_DIGITS or abs(number) >= 10**11:
            raise ValueError("Enter a number such as 0.5.")
        self.data = number


def system_choices() -> list[tuple[Any, str]]:
    return list(systems.choices())


class IndicatorForm(Form):
    name = StringField("Name", [DataRequired("Enter a name."), Length(max=120)], filters=[one_line])
    key = StringField(
        "Slug",
        [DataRequired("Enter a slug."), Length(max=64)],
        filters=[stripped],
        description=(
            "Lowercase letters, digits and hyphens, such as claims-triage-availability. Programs"
            " send minutes under it, so it can't be changed later."
        ),
    )
    system_id = Choice(
        "AI system",
        [InputRequired("Choose an AI system.")],
        choices=system_choices,
        **INVALID_CHOICE,
    )
    feature = StringField(
        "Feature",
        [Optional(), Length(max=41)],
        filters=[stripped],
        description="The slug of one of its features. Leave it empty for the whole system.",
    )
    kind = RadioField(
        "Kind",
        [InputRequired("Choose a kind.")],
        choices=list(KINDS.items()),
        default="ratio",
        **INVALID_CHOICE,
    )
    unit = StringField(
        "Counts",
        [DataRequired("Enter what it counts, such as requests."), Length(max=40)],
        filters=[stripped],
        default="requests",
        description="A plural noun, such as requests, answers or evaluated answers.",
    )
    bound = DecimalField(
        "Bound",
        [Optional()],
        description="For a threshold: the value that a good event keeps, such as 0.5.",
    )
    bound_unit = StringField(
        "Unit of the bound",
        [Optional(), Length(max=20)],
        filters=[stripped],
        description="Such as s or tokens/s.",
    )
    good_side = RadioField(
        "Good is",
        [Optional()],
        choices=list(GOOD_SIDES),
        default="at_most",
        **INVALID_CHOICE,
    )
    min_requests = IntegerField(
        "Least requests",
        [Optional()],
        description="For downtime: a minute with fewer requests counts as up. By default 1.",
    )
    floor = DecimalField(
        "Lowest share of good requests, in percent",
        [Optional()],
        description="For downtime: a minute below it is down. Empty: a minute without any good one.",
    )
    vendor = StringField(
        "Model provider",
        [Optional(), Length(max=120)],
        filters=[stripped],
        description="If it counts the errors of a provider, its name as in the agreement with it.",
    )
    source = RadioField(
        "Source",
        [InputRequired("Choose a source.")],
        choices=list(SOURCES.items()),
        default="push",
        **INVALID_CHOICE,
    )


class IndicatorRetireForm(Form):
    reason = TextAreaField(
        "Reason, kept in the audit log",
        [DataRequired(REASON_NEEDED), Length(max=2000)],
        filters=[stripped],
    )
