"""Convert amounts with the rates of a month. Pure.

rates = MonthRates(Month(2026, 10), "EUR", {"USD": Decimal("0.92")})
rates.convert(Decimal("100"), "USD")      Decimal("92.00"), in EUR
rates.convert(Decimal("100"), "GBP")      raises MissingRate

A month without a rate of its own takes the last known one, which is provisional. Each use of it
is kept in `noted`, so that a page or a file can name it beside the amount.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

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


class ProvisionalRate(NamedTuple):
    """A month that takes the rate of an earlier one, since it has none of its own."""

    month: Month
    currency: str
    rate_month: Month

    @property
    def phrase(self) -> str:
        """Return "USD for December 2026 (rate of November 2026)"."""
        return f"{self.currency} for {self.month.long_name} (rate of {self.rate_month.long_name})"


@dataclass(frozen=True, slots=True)
class MonthRates:
    """What one unit of each currency is worth in the reporting currency, in one month.

    `rates` were entered for the month itself. `earlier` has, by currency, the last rate before it
    and the month of that rate. `noted` gets each provisional rate that an amount is converted with.
    """

    month: Month
    reporting: str
    rates: Mapping[str, Decimal]
    earlier: Mapping[str, tuple[Month, Decimal]] = field(default_factory=dict)
    noted: set[ProvisionalRate] = field(default_factory=set, compare=False)

    def has(self, currency: str) -> bool:
        """Return whether an amount in `currency` can be converted."""
        return currency == self.reporting or currency in self.rates or currency in self.earlier

    def provisional(self, currency: str) -> ProvisionalRate | None:
        """Return the earlier rate used for a month without one of its own, else None."""
        if currency == self.reporting or currency in self.rates or currency not in self.earlier:
            return None
        return ProvisionalRate(self.month, currency, self.earlier[currency][0])

    def rate(self, currency: str) -> Decimal:
        """Return 1 for the reporting currency itself, and the last known rate where the month has
        none. Raises MissingRate where no month up to this one has any.
        """
        if currency == self.reporting:
            return Decimal(1)
        if currency in self.rates:
            return self.rates[currency]
        used = self.provisional(currency)
        if used is None:
            raise MissingRate(currency, self.month)
        self.noted.add(used)
        return self.earlier[currency][1]

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


def provisional_phrase(used: Iterable[ProvisionalRate]) -> str:
    """Return "USD for December 2026 (rate of November 2026)", several joined by commas; or ""."""
    return ", ".join(each.phrase for each in sorted(used))


def check_rate(rate: Decimal) -> None:
    """Raise Invalid for a rate that isn't above 0 and below 10^9, with 10 decimals at most."""
    if not rate.is_finite() or not 0 < rate < MAX_RATE:
        raise Invalid("Enter a rate above 0 and below 1,000,000,000.", field="rate")
    if rate != rate.quantize(Decimal(1).scaleb(-MAX_DECIMALS)):
        raise Invalid(f"A rate has {MAX_DECIMALS} decimals at most.", field="rate")
