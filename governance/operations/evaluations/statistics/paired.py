"""Compare two runs on the same cases by the changed cases, never by overlapping intervals.

McNemar, "Note on the sampling error of the difference between correlated proportions", 1947, in
its exact form; the sign test for scores; Obuchowski, "On the comparison of correlated proportions
for clustered data", 1998, for cases that share a source.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt
from statistics import NormalDist

SIGNIFICANCE = 0.05
EXACT_CLUSTERS = 12  # Up to this number, every flip of signs is counted: 4,096 of them
MAX_CASES = 10_000_000  # Larger numbers are impractical: "no number of cases"
Z_95 = NormalDist().inv_cdf(0.975)


class Direction(StrEnum):
    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class PairedComparison:
    """The later run compared with the earlier one, on the cases that both have."""

    cases: int
    better: int  # Failed before, pass now
    worse: int  # Passed before, fail now
    p_value: float
    direction: Direction
    difference: float = 0.0  # Difference of the rates, later minus earlier
    low: float = 0.0  # Low end of its 95% interval
    high: float = 0.0
    clusters: int = 0  # Sources with a net change; 0 if each case is its own
    squares: float = 0.0  # Sum over sources of the squared net change
    sources: int = 0  # All sources, including those without a changed case

    @property
    def changed(self) -> int:
        return self.better + self.worse


def compare_pairs(
    cases: int, better: int, worse: int, significance: float = SIGNIFICANCE
) -> PairedComparison:
    """Return the exact two-sided comparison of `better` with `worse` changed cases.

    The same arithmetic serves verdicts that flipped (McNemar) and scores that rose or fell (the
    sign test): unchanged cases carry no information. Raises ValueError if the changed cases
    outnumber all cases.
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
        direction_of(better - worse, p_value, significance),
        *_difference(cases, better - worse, squares),
    )


def compare_clusters(
    cases: int,
    clusters: Mapping[str, tuple[int, int]],
    significance: float = SIGNIFICANCE,
) -> PairedComparison:
    """Return the comparison for cases that move together with their source.

    `clusters` has the (better, worse) cases of each source, (0, 0) if none changed. Each source is
    one observation, its net change. If up to twelve sources changed, every flip of signs is
    counted; beyond that, the statistic of Obuchowski is compared with chi-squared of one degree of
    freedom. Every case has the same weight, as in the difference of the rates.
    """
    nets = [better - worse for better, worse in clusters.values() if better != worse]
    better = sum(each[0] for each in clusters.values())
    worse = sum(each[1] for each in clusters.values())
    if better + worse > cases:
        raise ValueError(f"{better} better and {worse} worse of {cases} cases")
    squares = float(sum(net * net for net in nets))
    p_value = (
        _flips(nets)
        if len(nets) <= EXACT_CLUSTERS
        else _obuchowski(sum(nets), squares, len(clusters))
    )
    return PairedComparison(
        cases,
        better,
        worse,
        p_value,
        direction_of(sum(nets), p_value, significance),
        *_difference(cases, sum(nets), squares),
        len(nets),
        squares,
        len(clusters),
    )


def compare_nets(
    cases: int,
    better: int,
    worse: int,
    nets: Sequence[int],
    *,
    clusters: int,
    squares: float,
    sources: int,
) -> PairedComparison:
    """Return compare_clusters from the database's sums, without a row per source.

    `sources` is the number of all sources, `clusters` of those whose net change isn't 0, `squares`
    the sum of their squared net changes. `nets` are those changes if there are up to EXACT_CLUSTERS
    of them; more aren't read. Raises ValueError if the changed cases outnumber all cases.
    """
    if min(cases, better, worse) < 0 or better + worse > cases:
        raise ValueError(f"{better} better and {worse} worse of {cases} cases")
    net = better - worse
    p_value = _flips(nets) if clusters <= EXACT_CLUSTERS else _obuchowski(net, squares, sources)
    return PairedComparison(
        cases,
        better,
        worse,
        p_value,
        direction_of(net, p_value),
        *_difference(cases, net, squares),
        clusters,
        squares,
        sources,
    )


def mean_difference(cases: int, total: float, squares: float) -> tuple[float, float, float]:
    """Return the mean of paired differences with its 95% interval, by the same variance.

    `total` is the sum of the differences, `squares` the sum over sources of the squared total of
    each source.
    """
    if not cases:
        return 0.0, 0.0, 0.0
    mean = total / cases
    reach = Z_95 * sqrt(max(squares - total * total / cases, 0.0)) / cases
    return mean, mean - reach, mean + reach


def further_cases(comparison: PairedComparison, significance: float = SIGNIFICANCE) -> int | None:
    """Return how many more cases would decide if the changes stay as frequent as they are.

    None if nothing changed, if as many cases got better as worse, and beyond ten million. The sign
    test is interpolated between its steps (the incomplete beta function), so that more cases never
    decide less.
    """
    net = abs(comparison.better - comparison.worse)
    if not net or not comparison.cases:
        return None

    def decides(cases: int) -> bool:
        return _p_value_at(comparison, cases / comparison.cases) <= significance

    short, enough = comparison.cases, comparison.cases * 2
    while not decides(enough):
        short, enough = enough, enough * 2
        if enough > MAX_CASES:
            return None
    while enough - short > 1:
        middle = (short + enough) // 2
        short, enough = (short, middle) if decides(middle) else (middle, enough)
    return enough - comparison.cases


def _p_value_at(comparison: PairedComparison, factor: float) -> float:
    """Return the p-value if all counts grew by this factor."""
    from scipy.special import betainc  # noqa: PLC0415 - loads NumPy

    if comparison.clusters:
        net = (comparison.better - comparison.worse) * factor
        sources = comparison.sources * factor
        return _obuchowski(net, comparison.squares * factor, sources)
    fewer = min(comparison.better, comparison.worse) * factor
    more = max(comparison.better, comparison.worse) * factor
    return min(1.0, 2 * float(betainc(more, fewer + 1, 0.5)))


def _difference(cases: int, net: int, squares: float) -> tuple[float, float, float]:
    """Return the paired rates' difference with Wald's interval, from each source's net change.

    Its variance is (Σ net² − (Σ net)² ÷ n) ÷ n²; with one case per source, Σ net² counts the
    changed cases (Agresti, "Categorical Data Analysis", 3rd ed., 11.1.1).
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
    """Return the exact share of all flips of signs with a total at least as far from 0."""
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


def _obuchowski(net: float, squares: float, sources: float) -> float:
    """Return the p-value of (K − 1) ÷ K × (Σ net)² ÷ Σ net² over K sources.

    It uses her variance under the null hypothesis, in the notation of Yang, Sun and Hardin, "A note
    on the tests for clustered matched-pair binary data", 2010.
    """
    from scipy.special import chdtrc  # noqa: PLC0415 - loads NumPy

    if not squares:
        return 1.0
    return float(chdtrc(1, (sources - 1) / sources * net**2 / squares))


def direction_of(net: float, p_value: float, significance: float = SIGNIFICANCE) -> Direction:
    """Return better or worse, or undecided if the p-value is above the limit."""
    if p_value > significance or not net:
        return Direction.UNDECIDED
    return Direction.BETTER if net > 0 else Direction.WORSE
