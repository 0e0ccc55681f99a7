"""Convert amounts with the rates of a month. Pure.

rates = MonthRates(Month(2026, 10), "EUR", {"USD": Decimal("0.92")})
rates.convert(Decimal("100"), "USD")      Decimal("92.00"), in EUR
rates.convert(Decimal("100"), "GBP")      raises MissingRate
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.money import check_amount
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.months import Month

MAX_DECIMALS = 10
MAX_RATE = Decimal(10**9)


class MissingRate(DomainError):
    """An amount can't be converted; `currency` and `month` are what has no rate."""

    def __init__(self, currency: str, month: Month) -> None:
        super().__init__(
            f"There is no rate for {currency} in {month.long_name}. Add it under Rates."
        )
        self.currency, self.month = currency, month


@dataclass(frozen=True, slots=True)
class MonthRates:
    """What one unit of each currency is worth in the reporting currency, in one month."""

    month: Month
    reporting: str
    rates: Mapping[str, Decimal]

    def rate(self, currency: str) -> Decimal:
        """Return 1 for the reporting currency itself. Raises MissingRate."""
        if currency == self.reporting:
            return Decimal(1)
        try:
            return self.rates[currency]
        except KeyError:
            raise MissingRate(currency, self.month) from None

    def convert(self, amount: Decimal, currency: str) -> Decimal:
        """Return amount times rate in the reporting currency, not rounded: round a total once.

        Raises MissingRate, and Invalid for an amount that is too large or no number.
        """
        check_amount(amount)
        return amount * self.rate(currency)

    def total(self, amounts: Iterable[tuple[Decimal, str]]) -> Decimal:
        """Return the sum of (amount, currency) pairs in the reporting currency, not rounded.

        Raises as `convert` does.
        """
        return sum((self.convert(*each) for each in amounts), Decimal(0))


def check_rate(rate: Decimal) -> None:
    """Raise Invalid for a rate that isn't above 0 and below 10^9, with 10 decimals at most."""
    if not rate.is_finite() or not 0 < rate < MAX_RATE:
        raise Invalid("Enter a rate above 0 and below 1,000,000,000.", field="rate")
    if rate != rate.quantize(Decimal(1).scaleb(-MAX_DECIMALS)):
        raise Invalid(f"A rate has {MAX_DECIMALS} decimals at most.", field="rate")
