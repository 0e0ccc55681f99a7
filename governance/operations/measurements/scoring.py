"""Attainment, coverage and error budget from minute counts, in exact arithmetic.

Pure: no database, no clock, no floats. `governance verify-statement` recomputes a statement with
these functions.

    score(…)                attainment and coverage of a window
    budget(score, target)   the allowed, lost and remaining amounts
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Literal, NamedTuple

type IndicatorKind = Literal["ratio", "threshold", "downtime"]


class MinuteCount(NamedTuple):
    """Events of one minute. `total` = 0 is a known minute without events."""

    good: int
    total: int


@dataclass(frozen=True, slots=True)
class IndicatorRule:
    """The rule by which an indicator reads its minutes.

    downtime: a minute is down when `total >= min_requests` and good ÷ total is below `floor`; with
    a floor of 0 it is down when none of the requests is good.
    """

    kind: IndicatorKind
    min_requests: int = 1
    floor: Fraction = Fraction(0)

    def is_down(self, minute: MinuteCount) -> bool:
        """Return True if the minute is down; False for kinds that count events."""
        if self.kind != "downtime" or minute.total < max(self.min_requests, 1):
            return False
        if self.floor == 0:
            return minute.good == 0
        return Fraction(minute.good, minute.total) < self.floor


@dataclass(frozen=True, slots=True)
class Counts:
    """Additive counts: minutes with data, down minutes, good events and all events."""

    minutes: int = 0
    down: int = 0
    good: int = 0
    total: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.minutes + other.minutes,
            self.down + other.down,
            self.good + other.good,
            self.total + other.total,
        )

    def measured(self, kind: IndicatorKind) -> int:
        """Return the denominator: minutes with data for downtime, events for other kinds."""
        return self.minutes if kind == "downtime" else self.total

    def lost(self, kind: IndicatorKind) -> int:
        """Minutes down, or events that are not good."""
        return self.down if kind == "downtime" else self.total - self.good


@dataclass(frozen=True, slots=True)
class Score:
    """One indicator over one window.

    window    minutes of the window (inside service hours, if the objective has them)
    excluded  minutes of these that an exclusion hides; overlapping exclusions count once
    counted   counts outside the exclusions
    hidden    counts inside them, which attainment leaves out
    """

    kind: IndicatorKind
    window: int
    excluded: int
    counted: Counts
    hidden: Counts = Counts()

    @property
    def measured(self) -> int:
        return self.counted.measured(self.kind)

    @property
    def lost(self) -> int:
        return self.counted.lost(self.kind)

    @property
    def attained(self) -> Fraction | None:
        """The good share, from 0 to 1; None when nothing was measured."""
        return Fraction(self.measured - self.lost, self.measured) if self.measured else None

    @property
    def attained_without_exclusions(self) -> Fraction | None:
        """The good share of all measured minutes, including the excluded ones."""
        both = self.counted + self.hidden
        measured, lost = both.measured(self.kind), both.lost(self.kind)
        return Fraction(measured - lost, measured) if measured else None

    @property
    def expected(self) -> int:
        """Minutes that should have data: the window without its exclusions."""
        return self.window - self.excluded

    @property
    def unknown(self) -> int:
        """Minutes without data: neither good nor bad."""
        return self.expected - self.counted.minutes

    @property
    def coverage(self) -> Fraction | None:
        """Share of the expected minutes with data; None when none is expected."""
        return Fraction(self.counted.minutes, self.expected) if self.expected else None

    def is_determinable(self, minimum_coverage: Fraction) -> bool:
        """Return True with enough data to state attainment; never for an empty history."""
        enough = minimum_coverage.numerator * self.expected
        return (
            self.measured > 0
            and self.expected > 0
            and self.counted.minutes * minimum_coverage.denominator >= enough
        )


@dataclass(frozen=True)
class Budget:
    """The error budget of a window, in minutes (downtime) or events."""

    allowed: Fraction
    lost: int

    @cached_property
    def left(self) -> Fraction:
        """The remaining budget; below zero when more was lost than the target allows."""
        return self.allowed - self.lost

    @cached_property
    def left_share(self) -> Fraction | None:
        """1 at the start, 0 when exhausted; None when the target or the traffic allows nothing."""
        whole, parts = self.allowed.numerator, self.allowed.denominator
        return Fraction(whole - self.lost * parts, whole) if whole else None


def budget(score: Score, target: Fraction) -> Budget:
    """Return (1 - target) times the measured amount. `target` is a share, such as 999/1000."""
    if not 0 <= target.numerator <= target.denominator:
        raise ValueError(f"a target is a share from 0 to 1, not {target}")
    bad = target.denominator - target.numerator
    return Budget(Fraction(bad * score.measured, target.denominator), score.lost)


def burn_rate(counts: Counts, kind: IndicatorKind, target: Fraction) -> Fraction | None:
    """Return how many times too fast a budget burns: error share ÷ (1 - target).

    A rate of 1 spends it in exactly the objective's window (Site Reliability Workbook, chapter 5).
    None when nothing was measured or the target allows no error.
    """
    measured = counts.measured(kind)
    bad = target.denominator - target.numerator
    if not measured or not bad:
        return None
    return Fraction(counts.lost(kind) * target.denominator, measured * bad)
