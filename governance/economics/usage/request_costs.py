"""Compute the cost of a request: the 50th, 95th and 99th percentile of a month, from its events.

A cost is linear in the tokens of each bucket, so a distribution of costs needs the tokens of each
request: sums by day don't have them, and a histogram of costs would be wrong as soon as a price
changes. The month's events are read instead, once for a review, and the percentiles are exact.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from governance.economics.usage.event_store import UnitPrice
from governance.economics.usage.event_stores import store
from governance.economics.usage.rebuilding import span_of
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month

__all__ = ["RequestCosts", "UnitPrice", "request_costs"]


@dataclass(frozen=True, slots=True)
class RequestCosts:
    """Percentiles of the cost of a request, whatever its outcome; each is a real request's cost.

    system, feature     None for all of them; the feature "" has the events that name none
    requests            those with a price; `unpriced` are the others, which no percentile includes
    p50, p95, p99       None if no request has a price
    """

    system_id: UUID | None
    system: str | None
    feature: str | None
    requests: int
    unpriced: int
    p50: Decimal | None
    p95: Decimal | None
    p99: Decimal | None


def request_costs(month: Month, unit_prices: Sequence[UnitPrice]) -> list[RequestCosts]:
    """Return the percentiles of the tenant, then of each AI system and feature, by name.

    Empty for a month whose events are past their retention. Raises ValueError if two prices of a
    model overlap.
    """
    _check_disjoint(unit_prices)
    zone = operator_time_zone()
    span = span_of(month.first_day, month.last_day, ZoneInfo(zone))
    costs = store().costs(span, zone, unit_prices)
    values = {"tenant": current.actor().tenant_id} | dict(costs.values)
    return [
        RequestCosts(
            row.system_id,
            row.system,
            row.feature,
            row.requests,
            row.unpriced,
            *(row.percentiles or (None, None, None)),
        )
        for row in session().execute(text(costs.within(_NAMED)), values)
    ]


def _check_disjoint(prices: Sequence[UnitPrice]) -> None:
    ordered = sorted(prices, key=lambda each: (each.provider, each.model, each.first))
    for one, other in pairwise(ordered):
        same = (one.provider, one.model) == (other.provider, other.model)
        if same and other.first <= one.last:
            raise ValueError(f"two prices of {one.provider} {one.model} on {other.first}")


_NAMED = """
SELECT counted.*, s.key AS system FROM ({rows}) AS counted
LEFT JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = counted.system_id
WHERE requests + unpriced > 0 ORDER BY s.key NULLS FIRST, feature NULLS FIRST
"""
