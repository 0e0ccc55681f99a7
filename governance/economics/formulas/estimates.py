"""Results of formulas: a figure, an interval, or the reason why there is none."""

from dataclasses import dataclass
from decimal import Decimal

CONFIDENCE = Decimal("0.90")  # confidence level of every interval


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """The reason why a measure can't be computed, such as "no churn" or "no wins"."""

    reason: str

    def __str__(self) -> str:
        return f"not estimable: {self.reason}"


type Estimate = Decimal | NotEstimable


@dataclass(frozen=True, slots=True)
class Interval:
    """A point estimate with its 90% confidence interval."""

    point: Decimal
    low: Decimal
    high: Decimal

    def times(self, factor: Decimal) -> "Interval":
        """Return the interval in another unit. `factor` must be positive."""
        return Interval(self.point * factor, self.low * factor, self.high * factor)


def ratio(numerator: Decimal | int, denominator: Decimal | int, *, otherwise: str) -> Estimate:
    """Return numerator ÷ denominator, or NotEstimable(otherwise) if the denominator is 0."""
    if not denominator:
        return NotEstimable(otherwise)
    return Decimal(numerator) / Decimal(denominator)


def known(*values: Estimate) -> tuple[Decimal, ...] | NotEstimable:
    """Return all values, or the first NotEstimable among them."""
    found: list[Decimal] = []
    for value in values:
        if isinstance(value, NotEstimable):
            return value
        found.append(value)
    return tuple(found)
