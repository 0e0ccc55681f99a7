"""The form of a price."""

from decimal import Decimal

from wtforms import SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.economics.formulas.currencies import choices
from governance.economics.formulas.money import PRICE_DECIMALS, read_amount
from governance.economics.prices.actions import PriceTerms
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.forms import one_line
from governance.foundation.tenants.queries import all_tenants
from governance.kernel.days import DayField, MonthField
from governance.kernel.errors import Invalid
from governance.kernel.web.forms import Choice, Form


def _customers() -> list[tuple[str, str]]:
    customers = [each for each in all_tenants() if each.kind == "customer"]
    return [("", "All tenants"), *((str(each.id), each.name) for each in customers)]


def _price(label: str, help_text: str = "") -> StringField:
    return StringField(label, [Length(max=40)], description=help_text)


class PriceForm(Form):
    provider = StringField(
        "Provider",
        [Length(max=120)],
        filters=[one_line],
        description="As usage events name it. Leave it empty for events that name none.",
    )
    model = StringField(
        "Model", [DataRequired("Enter the model."), Length(max=120)], filters=[one_line]
    )
    currency = SelectField("Currency", choices=[(code, code) for code in choices()], default="USD")
    input = StringField(
        "Input", [DataRequired("Enter the price of a million input tokens."), Length(max=40)]
    )
    cache_read = _price("Cache read", "Empty: the price of input.")
    cache_write = _price("Cache write", "Empty: the price of input.")
    output = _price("Output", "Empty: output is free, as of an embedding model.")
    reasoning = _price("Reasoning", "Empty: the price of output.")
    request = _price("Per request", "Beside its tokens. Empty: nothing.")
    effective_from = DayField("Effective from")
    customer_id = Choice("For", choices=_customers)
    source = StringField(
        "Source",
        [DataRequired("Name the source, such as the provider's price page."), Length(max=200)],
        filters=[one_line],
    )
    source_date = DayField("Date of the source", required=False)
    deprecation_date = DayField("Provider ends the model on", required=False)
    successor_model = StringField("Successor", [Length(max=120)], filters=[one_line])

    def terms(self) -> PriceTerms:
        """Return the entered terms. Raises Invalid about a field that isn't a valid price."""
        if self.effective_from.data is None:
            raise Invalid("Choose the day that it is effective from.", field="effective_from")
        per_million = {
            bucket: price for bucket in BUCKETS if (price := self._read(bucket)) is not None
        }
        return PriceTerms(
            provider=self.provider.data or "",
            model=self.model.data or "",
            per_million=per_million,
            per_request=self._read("request") or Decimal(0),
            currency=self.currency.data,
            effective_from=self.effective_from.data,
            customer_id=self.customer_id.data or None,
            source=self.source.data or "",
            source_date=self.source_date.data,
            deprecation_date=self.deprecation_date.data,
            successor_model=self.successor_model.data or None,
        )

    def _read(self, name: str) -> Decimal | None:
        text = (self._fields[name].data or "").strip()
        if not text:
            return None
        return read_amount(text, self.currency.data, field=name, decimals=PRICE_DECIMALS)


class RestatementForm(Form):
    first_month = MonthField("First month")
    last_month = MonthField("Last month")
    reason = TextAreaField(
        "Reason",
        [DataRequired("Say why history changes. The approver reads it."), Length(max=2000)],
    )
