"""A figure, or the reason why there is none."""

from dataclasses import dataclass
from decimal import Decimal

CONFIDENCE = Decimal("0.90")  # of every interval


@dataclass(frozen=True, slots=True)
class NotEstimable:
    """A measure that can't be computed, and why: "no churn", "no wins"."""

    reason: str

    def __str__(self) -> str:
        return f"not estimable: {self.reason}"


type Estimate = Decimal | NotEstimable


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the interval that holds the true value with 90% confidence."""

    point: Decimal
    low: Decimal
    high: Decimal

    def times(self, factor: Decimal) -> "Interval":
        """The same in another unit; the factor is positive."""
        return Interval(self.point * factor, self.low * factor, self.high * factor)


def ratio(numerator: Decimal | int, denominator: Decimal | int, *, otherwise: str) -> Estimate:
    """Return numerator ÷ denominator; NotEstimable with the reason where the denominator is 0."""
    if not denominator:
        return NotEstimable(otherwise)
    return Decimal(numerator) / Decimal(denominator)


def known(*values: Estimate) -> tuple[Decimal, ...] | NotEstimable:
    """Return the values, or the first reason why one of them isn't known."""
    found: list[Decimal] = []
    for value in values:
        if isinstance(value, NotEstimable):
            return value
        found.append(value)
    return tuple(found)
