"""Percentiles of the cost per request.

Nearest-rank method, the same as PostgreSQL's percentile_disc: the smallest cost that at least the
given share of requests doesn't exceed. The result is always a cost that occurred.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.estimates import NotEstimable


@dataclass(frozen=True, slots=True)
class CostPercentiles:
    """Percentiles of the cost per request, in money: half of the requests cost at most p50."""

    p50: Decimal
    p95: Decimal
    p99: Decimal


def cost_percentiles(costs: Iterable[tuple[Decimal, int]]) -> CostPercentiles | NotEstimable:
    """Return p50, p95 and p99 of `costs`, which are (cost, number of requests) pairs."""
    known = sorted((cost, count) for cost, count in costs if count > 0)
    if not known:
        return NotEstimable("no requests")
    return CostPercentiles(*(_percentile(known, percent) for percent in (50, 95, 99)))


def _percentile(known: list[tuple[Decimal, int]], percent: int) -> Decimal:
    requests = sum(count for _cost, count in known)
    seen = 0
    for cost, count in known:
        seen += count
        if seen * 100 >= requests * percent:
            return cost
    return known[-1][0]
