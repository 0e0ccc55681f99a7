"""Usage events in PostgreSQL: one partition for each month, written with the counts of their days.

The statements that write are in storing.py and file_storing.py.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.economics.usage import file_storing, partitions, storing
from governance.economics.usage.event_store import Days, Rows, Stored, StoredPart, UnitPrice
from governance.economics.usage.usage_events import BUCKETS, UsageEvent
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.intervals import Span
from governance.kernel.months import Month


class PostgresqlEvents:
    """The event store of a single machine. It keeps events and counts in the same database."""

    def write(self, events: Sequence[UsageEvent], systems: Mapping[str, UUID], zone: str) -> Stored:
        return storing.write(events, systems, zone)

    def prepare_file(self) -> None:
        file_storing.prepare()

    def write_part(self, tenant: Tenant, part: bytes, zone: str) -> StoredPart:
        return file_storing.write(tenant, part, zone)

    def finish_file(self) -> None:
        """Do nothing: every part is already stored."""

    def forget_uncounted(self) -> int:
        return 0  # events and counts are written in one transaction

    def counts(self, days: Days) -> Rows:
        return Rows(_COUNTS, _values_of(days))

    def people(self, days: Days) -> Rows:
        return Rows(_PEOPLE, _values_of(days))

    def tasks(self, span: Span, look_back: timedelta) -> Rows:
        values = {"tenant": current.actor().tenant_id, "look_back": span.start - look_back}
        return Rows(_TASKS, values | {"start": span.start, "until": span.end})

    def costs(self, span: Span, zone: str, prices: Sequence[UnitPrice]) -> Rows:
        values = {"tenant": current.actor().tenant_id, "zone": zone}
        values |= {"start": span.start, "until": span.end}
        return Rows(_COSTS, values | _values_of_prices(prices))

    def count_outside(self) -> int:
        return 0

    def lines_outside(self) -> None:
        return None

    def delete_outside(self) -> None:
        """Do nothing: all events are rows of PostgreSQL."""

    def months(self) -> list[Month]:
        return partitions.EVENTS.existing()

    def ensure_months(self, months: Iterable[Month]) -> None:
        partitions.EVENTS.ensure(months)

    def drop_month(self, month: Month) -> None:
        partitions.EVENTS.drop(month)


def _values_of(days: Days) -> dict[str, Any]:
    return {
        "tenant": current.actor().tenant_id,
        "zone": days.zone,
        "days": list(days.days),
        "start": days.span.start,
        "until": days.span.end,
    }


def _values_of_prices(prices: Sequence[UnitPrice]) -> dict[str, Any]:
    return {
        "providers": [each.provider for each in prices],
        "models": [each.model for each in prices],
        "firsts": [each.first for each in prices],
        "lasts": [each.last for each in prices],
        "per_request": [each.per_request for each in prices],
        **{bucket: [each.per_million[bucket] for each in prices] for bucket in BUCKETS},
    }


_TOKENS = [f"{each}_tokens" for each in BUCKETS]
_OF_DAYS = f"""
  SELECT (at AT TIME ZONE :zone)::date AS day, system_id, feature, provider, model, outcome, person,
    {", ".join(_TOKENS)}
  FROM usage_events WHERE tenant_id = :tenant AND at >= :start AND at < :until
    AND (at AT TIME ZONE :zone)::date = ANY(CAST(:days AS date[]))"""  # noqa: S608 - names of ours
_COUNTS = f"""
  SELECT day, system_id, coalesce(feature, '') AS feature, coalesce(provider, '') AS provider,
    model, outcome, count(*) AS requests, {", ".join(f"sum({name}) AS {name}" for name in _TOKENS)}
  FROM ({_OF_DAYS}) AS of_days GROUP BY 1, 2, 3, 4, 5, 6"""  # noqa: S608 - names of ours
_PEOPLE = f"""
  SELECT {storing.PEOPLE_OF_DAYS} FROM ({_OF_DAYS}) AS used
  WHERE person IS NOT NULL GROUP BY 1, 2, 3, 4"""  # noqa: S608 - names of ours
_TASKS = """
WITH succeeded AS MATERIALIZED (
  SELECT system_id, coalesce(feature, '') AS feature, task, min(at) AS first_at,
    count(*) FILTER (WHERE at >= :start) AS requests
  FROM usage_events
  WHERE tenant_id = :tenant AND outcome = 'success' AND at >= :look_back AND at < :until
  GROUP BY 1, 2, 3
), first_success AS (
  SELECT DISTINCT ON (system_id, task) system_id, feature, first_at
  FROM succeeded WHERE task IS NOT NULL ORDER BY system_id, task, first_at, feature COLLATE "C"
), counted AS (
  SELECT system_id, feature, count(*) AS named, 0 AS unnamed
  FROM first_success WHERE first_at >= :start GROUP BY 1, 2
  UNION ALL
  SELECT system_id, feature, 0, requests FROM succeeded WHERE task IS NULL
)
SELECT system_id, feature, sum(named) AS named, sum(unnamed) AS unnamed
FROM counted GROUP BY 1, 2"""
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
  WHERE e.tenant_id = :tenant AND e.at >= :start AND e.at < :until
)
SELECT system_id, feature, count(cost) AS requests, count(*) - count(cost) AS unpriced,
  percentile_disc(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY cost) AS percentiles
FROM costs GROUP BY GROUPING SETS ((), (system_id), (system_id, feature))"""  # noqa: S608 - names of ours
