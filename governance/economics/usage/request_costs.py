"""What a request costs: the 50th, 95th and 99th percentile of a month, from its events.

A cost is linear in the tokens of each bucket, so a distribution of costs needs the tokens of each
request: sums by day don't have them, and a histogram of costs would be wrong as soon as a price
changes. The month's events are read instead, once for a review, and the percentiles are exact.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import text

from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a model costs from one day to another, both included, in the currency of the caller.

    `per_million` has the price of a million tokens of each bucket.
    """

    provider: str  # "" where events name none
    model: str
    first: date
    last: date
    per_million: Mapping[str, Decimal]
    per_request: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class RequestCosts:
    """Percentiles of the cost of a request, whatever its outcome; each is the cost of some request.

    system, feature     None for all of them; the feature "" has the events that name none
    requests            with a price; `unpriced` are the others, which no percentile includes
    p50, p95, p99       None where no request has a price
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

    Empty for a month whose events are past their retention. Raises ValueError when two prices of a
    model overlap.
    """
    _check_disjoint(unit_prices)
    return [
        RequestCosts(
            row.system_id,
            row.system,
            row.feature,
            row.requests,
            row.unpriced,
            *(row.percentiles or (None, None, None)),
        )
        for row in session().execute(text(_COSTS), _values(month, unit_prices))
    ]


def _check_disjoint(prices: Sequence[UnitPrice]) -> None:
    ordered = sorted(prices, key=lambda each: (each.provider, each.model, each.first))
    for one, other in pairwise(ordered):
        same = (one.provider, one.model) == (other.provider, other.model)
        if same and other.first <= one.last:
            raise ValueError(f"two prices of {one.provider} {one.model} on {other.first}")


def _values(month: Month, prices: Sequence[UnitPrice]) -> dict[str, Any]:
    return {
        "tenant": current.actor().tenant_id,
        "zone": operator_time_zone(),
        "first": month.first_day,
        "next": month.plus(1).first_day,
        "providers": [each.provider for each in prices],
        "models": [each.model for each in prices],
        "firsts": [each.first for each in prices],
        "lasts": [each.last for each in prices],
        "per_request": [each.per_request for each in prices],
        **{bucket: [each.per_million[bucket] for each in prices] for bucket in BUCKETS},
    }


_ARRAYS = {"providers": "text", "models": "text", "firsts": "date", "lasts": "date"}
_ARRAYS |= dict.fromkeys(("per_request", *BUCKETS), "numeric")
_COST = " + ".join(f"e.{each}_tokens * p.{each}" for each in BUCKETS)
_COSTS = f"""
WITH p AS MATERIALIZED (
  SELECT * FROM unnest({", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in _ARRAYS.items())})
    AS given (provider, model, first_day, last_day, per_request, {", ".join(BUCKETS)})
), costs AS (
  SELECT e.system_id, coalesce(e.feature, '') AS feature,
    ({_COST}) / 1000000 + p.per_request AS cost
  FROM usage_events e LEFT JOIN p ON p.provider = coalesce(e.provider, '') AND p.model = e.model
    AND (e.at AT TIME ZONE :zone)::date BETWEEN p.first_day AND p.last_day
  WHERE e.tenant_id = :tenant
    AND e.at >= CAST(:first AS date)::timestamp AT TIME ZONE :zone
    AND e.at < CAST(:next AS date)::timestamp AT TIME ZONE :zone
), counted AS (
  SELECT system_id, feature, count(cost) AS requests, count(*) - count(cost) AS unpriced,
    percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY cost) AS percentiles
  FROM costs GROUP BY GROUPING SETS ((), (system_id), (system_id, feature))
)
SELECT counted.*, s.key AS system FROM counted
LEFT JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = counted.system_id
WHERE requests + unpriced > 0 ORDER BY s.key NULLS FIRST, feature NULLS FIRST
"""  # noqa: S608 - names of ours
