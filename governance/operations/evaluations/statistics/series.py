"""Change points of a weekly measure: levels that differ by more than chance explains.

    change_points(weeks, …)         for shares: Fisher's exact test
    mean_change_points(weeks, …)    for means: Welch's t-test

Binary segmentation: the best of all splits is tested, corrected for the number of tried splits
(Bonferroni); if it holds, both sides are searched again. So a series without changes shows a change
point at most as often as `significance`, however long it is. Several series of one page share one
budget: significance_of_series.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import erfc, exp, inf, lgamma, sqrt

from governance.operations.evaluations.statistics.multiplicity import FALSE_ALARMS_PER_YEAR

PAGE_FALSE_ALARMS = 0.05  # Budget of all series of one page together


@dataclass(frozen=True, slots=True)
class WeekCount:
    """Successes among the evaluated samples of one week; n may be 0."""

    successes: int
    n: int


@dataclass(frozen=True, slots=True)
class WeekMean:
    """Mean and standard deviation of the evaluated samples of one week; n may be 0."""

    mean: float
    deviation: float
    n: int


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first week of a new level."""

    index: int
    before: float
    after: float
    p_value: float  # Corrected for the number of tested splits


def significance_of_series(series: int, budget: float = PAGE_FALSE_ALARMS) -> float:
    """Return the significance of each of several series that share one false-alarm budget."""
    return budget / max(series, 1)


def change_points(
    weeks: Sequence[WeekCount], significance: float = FALSE_ALARMS_PER_YEAR
) -> tuple[ChangePoint, ...]:
    """Return the weeks that begin a new rate, in order."""
    return _segments(
        len(weeks),
        significance,
        lambda start, end: _best_split(weeks, start, end, significance),
    )


def mean_change_points(
    weeks: Sequence[WeekMean], significance: float = FALSE_ALARMS_PER_YEAR
) -> tuple[ChangePoint, ...]:
    """Return the weeks that begin a new mean, in order.

    A week's own movement counts as spread, so a jumpy mean can hide a change, but never creates
    one.
    """
    return _segments(
        len(weeks),
        significance,
        lambda start, end: _best_mean_split(weeks, start, end, significance),
    )


def _segments(
    length: int, significance: float, best_split: Callable[[int, int], ChangePoint | None]
) -> tuple[ChangePoint, ...]:
    found: list[ChangePoint] = []
    pending = [(0, length)]
    while pending:
        start, end = pending.pop()
        change = best_split(start, end)
        if change is not None and change.p_value <= significance:
            found.append(change)
            pending += [(start, change.index), (change.index, end)]
    return tuple(sorted(found, key=lambda each: each.index))


# ---- shares


def _best_split(
    weeks: Sequence[WeekCount], start: int, end: int, significance: float
) -> ChangePoint | None:
    evaluated = [i for i in range(start, end) if weeks[i].n]
    if len(evaluated) < 2:  # noqa: PLR2004 - one side each
        return None
    successes = sum(each.successes for each in weeks[start:end])
    n = sum(each.n for each in weeks[start:end])
    before_successes = before_n = 0
    best: tuple[float, int, int, int] | None = None
    for previous, index in pairwise(evaluated):
        before_successes += weeks[previous].successes
        before_n += weeks[previous].n
        strength = _chi_squared(before_successes, before_n, successes, n)
        if best is None or strength > best[0]:
            best = strength, index, before_successes, before_n
    if best is None:
        return None
    _strength, index, before_successes, before_n = best
    after_successes, after_n = successes - before_successes, n - before_n
    splits = len(evaluated) - 1
    if least_p_value(before_successes, before_n, successes, n) * splits > significance:
        return None
    p_value = _fisher(before_successes, before_n, after_successes, after_n)
    return ChangePoint(
        index,
        before_successes / before_n,
        after_successes / after_n,
        min(1.0, p_value * splits),
    )


def _chi_squared(left: int, left_n: int, successes: int, n: int) -> float:
    """Return Pearson's statistic of a split. It ranks the candidates; Fisher judges the best."""
    rate = successes / n
    spread = rate * (1 - rate) * left_n * (n - left_n)
    return (left - rate * left_n) ** 2 * n / spread if spread else 0.0


def least_p_value(left: int, left_n: int, successes: int, n: int) -> float:
    """Return a lower bound of Fisher's p-value: the probability of the split itself.

    It avoids the exact test, milliseconds with 100,000 samples, for splits that can't be changes.
    """
    ways = (
        _log_choose(successes, left)
        + _log_choose(n - successes, left_n - left)
        - _log_choose(n, left_n)
    )
    return exp(ways) * (1 - 1e-6)  # The factor keeps rounding from hiding a change.


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _fisher(left: int, left_n: int, right: int, right_n: int) -> float:
    from scipy.stats import fisher_exact  # noqa: PLC0415 - loads NumPy

    return float(fisher_exact([[left, left_n - left], [right, right_n - right]])[1])


# ---- means


@dataclass(frozen=True, slots=True)
class _Pool:
    """Samples of several weeks, from sums that add up."""

    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    @property
    def mean(self) -> float:
        return self.total / self.n

    @property
    def deviation(self) -> float:
        return sqrt(max(self.squares - self.total * self.mean, 0.0) / (self.n - 1))

    def plus(self, week: WeekMean) -> "_Pool":
        total = week.n * week.mean
        squares = (week.n - 1) * week.deviation**2 + total * week.mean
        return _Pool(self.n + week.n, self.total + total, self.squares + squares)

    def minus(self, other: "_Pool") -> "_Pool":
        return _Pool(self.n - other.n, self.total - other.total, self.squares - other.squares)


def _best_mean_split(
    weeks: Sequence[WeekMean], start: int, end: int, significance: float
) -> ChangePoint | None:
    evaluated = [i for i in range(start, end) if weeks[i].n > 1]
    if len(evaluated) < 2:  # noqa: PLR2004 - one side each
        return None
    everything = before = _Pool()
    for index in evaluated:
        everything = everything.plus(weeks[index])
    best: tuple[float, int, _Pool] | None = None
    for previous, index in pairwise(evaluated):
        before = before.plus(weeks[previous])
        strength = _welch(before, everything.minus(before))
        if best is None or strength > best[0]:
            best = strength, index, before
    if best is None:
        return None
    strength, index, before = best
    after, splits = everything.minus(before), len(evaluated) - 1
    if erfc(strength / sqrt(2)) * splits > significance:  # Student's tails are never lighter
        return None
    p_value = _welch_p(before, after) * splits
    return ChangePoint(index, before.mean, after.mean, min(1.0, p_value))


def _welch(left: _Pool, right: _Pool) -> float:
    """Return Welch's statistic of a split, which ranks the candidates."""
    error = sqrt(left.deviation**2 / left.n + right.deviation**2 / right.n)
    distance = abs(left.mean - right.mean)
    return distance / error if error else (inf if distance else 0.0)


def _welch_p(left: _Pool, right: _Pool) -> float:
    """Return Welch's p-value.

    Without any spread, it is 0 for different levels and 1 for equal ones.
    """
    if not left.deviation and not right.deviation:
        return 0.0 if left.mean != right.mean else 1.0
    from scipy.stats import ttest_ind_from_stats  # noqa: PLC0415 - loads NumPy

    found = ttest_ind_from_stats(
        left.mean, left.deviation, left.n, right.mean, right.deviation, right.n, equal_var=False
    )
    return float(found.pvalue)
