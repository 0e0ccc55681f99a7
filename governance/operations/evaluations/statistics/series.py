"""A measure week by week: where it changed by more than chance explains.

Binary segmentation with Fisher's exact test at each possible split, corrected for the number of
splits that were tried (Bonferroni). What is left over of the weeks is tested again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from governance.operations.evaluations.statistics.multiplicity import FALSE_ALARMS_PER_YEAR


@dataclass(frozen=True, slots=True)
class WeekCount:
    """Successes among the evaluated samples of one week; n may be 0."""

    successes: int
    n: int


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """The first week that belongs to the new level."""

    index: int
    before: float
    after: float
    p_value: float  # corrected for the splits that were tried


def change_points(
    weeks: Sequence[WeekCount], significance: float = FALSE_ALARMS_PER_YEAR
) -> tuple[ChangePoint, ...]:
    """Return the weeks from which on the rate is another one, in order."""
    found: list[ChangePoint] = []
    pending = [(0, len(weeks))]
    while pending:
        start, end = pending.pop()
        change = _best_split(weeks, start, end)
        if change is not None and change.p_value <= significance:
            found.append(change)
            pending += [(start, change.index), (change.index, end)]
    return tuple(sorted(found, key=lambda each: each.index))


def _best_split(weeks: Sequence[WeekCount], start: int, end: int) -> ChangePoint | None:
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
    p_value = _fisher(before_successes, before_n, after_successes, after_n)
    return ChangePoint(
        index,
        before_successes / before_n,
        after_successes / after_n,
        min(1.0, p_value * (len(evaluated) - 1)),
    )


def _chi_squared(left: int, left_n: int, successes: int, n: int) -> float:
    """Pearson's statistic of a split, which ranks the candidates; Fisher judges the best."""
    rate = successes / n
    spread = rate * (1 - rate) * left_n * (n - left_n)
    return (left - rate * left_n) ** 2 * n / spread if spread else 0.0


def _fisher(left: int, left_n: int, right: int, right_n: int) -> float:
    from scipy.stats import fisher_exact  # noqa: PLC0415 - loads NumPy

    return float(fisher_exact([[left, left_n - left], [right, right_n - right]])[1])
