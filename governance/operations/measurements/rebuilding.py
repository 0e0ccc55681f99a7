"""Count hours and days again from the minutes, and correct those that differ.

Only months whose minutes are still there are touched: the rollups of older ones are all that is
left of them.
"""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import text

from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.intervals import Span, intersection
from governance.kernel.months import Month
from governance.operations.measurements import partitions
from governance.operations.measurements.rollups import DAY, EPOCH


def _recount(unit: str, table: str) -> str:
    return f"""
WITH counted AS (
  SELECT date_trunc('{unit}', at, 'UTC') AS at, count(*) AS minutes,
    count(*) FILTER (WHERE down) AS down, sum(good) AS good, sum(total) AS total
  FROM indicator_minutes WHERE tenant_id = :tenant AND indicator_id = :indicator_id
    AND at >= :start AND at < :until GROUP BY 1
), rolled_up AS (
  SELECT at, minutes, down, good, total FROM {table} WHERE tenant_id = :tenant
    AND indicator_id = :indicator_id AND at >= :start AND at < :until
), differing AS MATERIALIZED (
  SELECT at, c.minutes, c.down, c.good, c.total FROM counted c FULL JOIN rolled_up r USING (at)
  WHERE (c.minutes, c.down, c.good, c.total) IS DISTINCT FROM (r.minutes, r.down, r.good, r.total)
), gone AS (
  DELETE FROM {table} t USING differing d WHERE d.minutes IS NULL AND t.tenant_id = :tenant
    AND t.indicator_id = :indicator_id AND t.at = d.at
), corrected AS (
  INSERT INTO {table} (tenant_id, indicator_id, at, minutes, down, good, total)
  SELECT :tenant, :indicator_id, at, minutes, down, good, total FROM differing
  WHERE minutes IS NOT NULL
  ON CONFLICT (tenant_id, indicator_id, at) DO UPDATE SET minutes = excluded.minutes,
    down = excluded.down, good = excluded.good, total = excluded.total
)
SELECT count(*) FROM differing"""  # noqa: S608 - two names of ours


RECOUNTS = (
    text(_recount("hour", "indicator_hours")),
    text(_recount("day", "indicator_days")),
)


def rebuild(indicator_id: UUID, span: Span) -> int:
    """Recount the days of UTC that the span touches; return how many rows differed.

    The indicator is locked, so that no batch adds to them meanwhile.
    """
    tenant_id, rows = current.actor().tenant_id, 0
    for part in intersection([whole_days(span)], map(month_of_minutes, partitions.existing())):
        for statement in RECOUNTS:
            values = {
                "tenant": tenant_id,
                "indicator_id": indicator_id,
                "start": part.start,
                "until": part.end,
            }
            rows += session().scalar(statement, values) or 0
    return rows


def whole_days(span: Span) -> Span:
    """The days of UTC that the span touches."""
    start, end = (span.start - EPOCH) // DAY, -(-(span.end - EPOCH) // DAY)
    return Span(EPOCH + start * DAY, EPOCH + end * DAY)


def month_of_minutes(month: Month) -> Span:
    """A month of UTC."""
    later = month.plus(1)
    return Span(
        datetime(month.year, month.number, 1, tzinfo=UTC),
        datetime(later.year, later.number, 1, tzinfo=UTC),
    )


__all__ = ["month_of_minutes", "rebuild", "whole_days"]
