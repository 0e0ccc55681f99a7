"""Two runs on the same cases: the cases that changed decide, never the overlap of two intervals.

McNemar, "Note on the sampling error of the difference between correlated proportions", 1947, in
its exact form; the sign test for scores; Durkalski and others, "Analysis of clustered
matched-pair data", 2003, where cases share a source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist

SIGNIFICANCE = 0.05
EXACT_CLUSTERS = 12  # with so few, every flip of signs is counted: 4,096 of them
Z_95 = NormalDist().inv_cdf(0.975)


class Direction(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """The later run beside the earlier one, on the cases that both have."""

    cases: int
    better: int  # failed before, pass now
    worse: int  # passed before, fail now
    p_value: float
    direction: Direction
    difference: float = 0.0  # of the rates, later minus earlier
    low: float = 0.0  # its 95% interval
    high: float = 0.0
    clusters: int = 0  # sources that have changed cases; 0 where each case is its own

    @property
    def changed(self) -> int:
        return self.better + self.worse


def compare_pairs(
    cases: int, better: int, worse: int, significance: float = SIGNIFICANCE
) -> PairedComparison:
    """Return the exact two-sided comparison of `better` with `worse` changed cases.

    The same arithmetic serves verdicts that flipped (McNemar) and scores that rose or fell (the
    sign test): unchanged cases say nothing. Raises ValueError where the changed cases outnumber
    all cases.
    """
    if min(cases, better, worse) < 0 or better + worse > cases:
        raise ValueError(f"{better} better and {worse} worse of {cases} cases")
    p_value = _sign_test(better, better + worse)
    squares = float(better + worse)
    return PairedComparison(
        cases,
        better,
        worse,
        p_value,
        _direction(better - worse, p_value, significance),
        *_difference(cases, better - worse, squares),
    )


def compare_clusters(
    cases: int,
    clusters: Mapping[str, tuple[int, int]],
    significance: float = SIGNIFICANCE,
) -> PairedComparison:
    """Return the comparison where cases of one source move together.

    `clusters` holds the (better, worse) cases of each source. Each source is one observation, its
    net change; up to twelve sources every flip of signs is counted, beyond that the statistic of
    Durkalski is compared with chi-squared of one degree of freedom.
    """
    nets = [better - worse for better, worse in clusters.values() if better or worse]
    better = sum(each[0] for each in clusters.values())
    worse = sum(each[1] for each in clusters.values())
    if better + worse > cases:
        raise ValueError(f"{better} better and {worse} worse of {cases} cases")
    p_value = _flips(nets) if len(nets) <= EXACT_CLUSTERS else _durkalski(nets)
    return PairedComparison(
        cases,
        better,
        worse,
        p_value,
        _direction(sum(nets), p_value, significance),
        *_difference(cases, sum(nets), float(sum(net * net for net in nets))),
        len(nets),
    )


def _difference(cases: int, net: int, squares: float) -> tuple[float, float, float]:
    """The difference of the paired rates with Wald's interval, from what moved in each source.

    Its variance is (Σ net² − (Σ net)² ÷ n) ÷ n²; with one case a source, Σ net² counts the changed
    cases (Agresti, "Categorical Data Analysis", 3rd ed., 11.1.1).
    """
    if not cases:
        return 0.0, 0.0, 0.0
    difference = net / cases
    reach = Z_95 * sqrt(max(squares - net * net / cases, 0.0)) / cases
    return difference, max(difference - reach, -1.0), min(difference + reach, 1.0)


def _sign_test(better: int, changed: int) -> float:
    if not changed:
        return 1.0
    from scipy.special import bdtr  # noqa: PLC0415 - loads NumPy

    return min(1.0, 2 * float(bdtr(min(better, changed - better), changed, 0.5)))


def _flips(nets: Sequence[int]) -> float:
    """The share of all flips of signs whose total is at least as far from 0, counted exactly."""
    totals = {0: 1}
    for net in nets:
        flipped: dict[int, int] = {}
        for total, ways in totals.items():
            for sign in (net, -net):
                flipped[total + sign] = flipped.get(total + sign, 0) + ways
        totals = flipped
    reached = abs(sum(nets))
    as_far = sum(ways for total, ways in totals.items() if abs(total) >= reached)
    return as_far / float(2 ** len(nets))


def _durkalski(nets: Sequence[int]) -> float:
    from scipy.special import chdtrc  # noqa: PLC0415 - loads NumPy

    squares = sum(net * net for net in nets)
    return float(chdtrc(1, sum(nets) ** 2 / squares)) if squares else 1.0


def _direction(net: int, p_value: float, significance: float) -> Direction:
    if p_value > significance or not net:
        return Direction.UNDECIDED
    return Direction.BETTER if net > 0 else Direction.WORSE
