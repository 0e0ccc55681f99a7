"""Conversion of amounts with the rates of a month. Pure.

rates = MonthRates(Month(2026, 10), "EUR", {"USD": Decimal("0.92")})
rates.convert(Decimal("100"), "USD")      Decimal("92.00"), in EUR
rates.convert(Decimal("100"), "GBP")      raises MissingRate

A month without its own rate uses the last known one, which is provisional. Each use is added to
`noted`, so that a page or a file can name it beside the amount.
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
    """Raised if an amount can't be converted, because `currency` has no rate up to `month`."""

    def __init__(self, currency: str, month: Month) -> None:
        super().__init__(
            f"There is no rate for {currency} in {month.long_name}. Add it under Rates."
        )
        self.currency, self.month = currency, month


class ProvisionalRate(NamedTuple):
    """The use of an earlier month's rate for a month without its own."""

    month: Month
    currency: str
    rate_month: Month

    @property
    def phrase(self) -> str:
        """The rate as a phrase: "USD for December 2026 (rate of November 2026)"."""
        return f"{self.currency} for {self.month.long_name} (rate of {self.rate_month.long_name})"


@dataclass(frozen=True, slots=True)
class MonthRates:
    """The value of one unit of each currency in the reporting currency, in one month.

    `rates` are the rates entered for the month itself. `earlier` maps a currency to the month and
    value of its last rate before. `noted` collects the provisional rates that `rate` and `convert`
    used.
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
        """Return the provisional rate that applies to `currency`, or None if it isn't needed."""
        if currency == self.reporting or currency in self.rates or currency not in self.earlier:
            return None
        return ProvisionalRate(self.month, currency, self.earlier[currency][0])

    def rate(self, currency: str) -> Decimal:
        """Return the rate of `currency`: 1 for the reporting currency, else the last known rate.

        Raises MissingRate if there is no rate up to this month.
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
        """Return amount × rate in the reporting currency, unrounded: round a total once.

        Raises MissingRate, and Invalid for an amount that is too large or not finite.
        """
        check_amount(amount)
        return amount * self.rate(currency)

    def total(self, amounts: Iterable[tuple[Decimal, str]]) -> Decimal:
        """Return the sum of (amount, currency) pairs in the reporting currency, unrounded.

        Raises the same errors as `convert`.
        """
        return sum((self.convert(*each) for each in amounts), Decimal(0))


def provisional_phrase(used: Iterable[ProvisionalRate]) -> str:
    """Return "USD for December 2026 (rate of November 2026)", comma-separated, or ""."""
    return ", ".join(each.phrase for each in sorted(used))


def check_rate(rate: Decimal) -> None:
    """Raise Invalid unless the rate is above 0, below 10^9, and has at most 10 decimals."""
    if not rate.is_finite() or not 0 < rate < MAX_RATE:
        raise Invalid("Enter a rate above 0 and below 1,000,000,000.", field="rate")
    if rate != rate.quantize(Decimal(1).scaleb(-MAX_DECIMALS)):
        raise Invalid(f"A rate has {MAX_DECIMALS} decimals at most.", field="rate")
