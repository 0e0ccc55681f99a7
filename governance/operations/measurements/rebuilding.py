"""Recount hours and days from the minutes, and correct those that differ.

Only months that still have their minutes are recounted, since the rollups of older months can't be
restored.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.intervals import Span, intersection
from governance.kernel.months import Month
from governance.operations.measurements import partitions
from governance.operations.measurements.rollups import DAY, EPOCH

_MINE = """tenant_id = :tenant AND indicator_id = ANY(CAST(:ids AS uuid[]))
    AND at >= :start AND at < :until"""
_COUNTED = f"""
WITH hours AS MATERIALIZED (
  SELECT indicator_id, date_bin('1 hour', at, :epoch) AS at, count(*) AS minutes,
    count(*) FILTER (WHERE down) AS down, sum(good) AS good, sum(total) AS total
  FROM indicator_minutes WHERE {_MINE} GROUP BY 1, 2
), days AS (
  SELECT indicator_id, date_bin('1 day', at, :epoch) AS at,
    sum(minutes) AS minutes, sum(down) AS down, sum(good) AS good, sum(total) AS total
  FROM hours GROUP BY 1, 2
)"""  # noqa: S608 - words of ours


def _differing(grain: str) -> str:
    return f""", differing_{grain} AS MATERIALIZED (
  SELECT indicator_id, at, c.minutes, c.down, c.good, c.total FROM {grain} c FULL JOIN (
    SELECT indicator_id, at, minutes, down, good, total FROM indicator_{grain} WHERE {_MINE}
  ) r USING (indicator_id, at)
  WHERE (c.minutes, c.down, c.good, c.total) IS DISTINCT FROM (r.minutes, r.down, r.good, r.total)
)"""  # noqa: S608 - words of ours


def _corrected(grain: str) -> str:
    return f""", gone_{grain} AS (
  DELETE FROM indicator_{grain} t USING differing_{grain} d WHERE d.minutes IS NULL
    AND t.tenant_id = :tenant AND t.indicator_id = d.indicator_id AND t.at = d.at
), corrected_{grain} AS (
  INSERT INTO indicator_{grain} (tenant_id, indicator_id, at, minutes, down, good, total)
  SELECT :tenant, indicator_id, at, minutes, down, good, total FROM differing_{grain}
  WHERE minutes IS NOT NULL
  ON CONFLICT (tenant_id, indicator_id, at) DO UPDATE SET minutes = excluded.minutes,
    down = excluded.down, good = excluded.good, total = excluded.total
)"""  # noqa: S608 - words of ours


_ROWS = """
SELECT indicator_id, count(*) AS rows FROM (
  SELECT indicator_id FROM differing_hours UNION ALL SELECT indicator_id FROM differing_days
) AS differing GROUP BY 1"""
_FIND = _COUNTED + _differing("hours") + _differing("days")
# Reading only is the usual case, and PostgreSQL reads in parallel only in statements that don't
# write.
FIND = text(_FIND + _ROWS)
CORRECT = text(_FIND + _corrected("hours") + _corrected("days") + _ROWS)
SORT_IN_MEMORY = text("SET LOCAL work_mem = '64MB'")


def rebuild(indicator_ids: Sequence[UUID], span: Span) -> dict[UUID, int]:
    """Recount the days of UTC that the span touches. Return how many rows of each differed.

    The indicators are locked, so that no batch adds to them meanwhile.
    """
    found: Counter[UUID] = Counter()
    session().execute(SORT_IN_MEMORY)
    months = map(month_of_minutes, partitions.MINUTES.existing())
    for part in intersection([whole_days(span)], months):
        found.update(_recount(indicator_ids, part))
    return dict(found)


def _recount(indicator_ids: Sequence[UUID], span: Span) -> dict[UUID, int]:
    values: dict[str, Any] = {
        "tenant": current.actor().tenant_id,
        "ids": list(indicator_ids),
        "start": span.start,
        "until": span.end,
        "epoch": EPOCH,
    }
    if not session().execute(FIND, values).all():
        return {}
    return {row.indicator_id: row.rows for row in session().execute(CORRECT, values)}


def whole_days(span: Span) -> Span:
    """Return the days of UTC that the span touches."""
    start, end = (span.start - EPOCH) // DAY, -(-(span.end - EPOCH) // DAY)
    return Span(EPOCH + start * DAY, EPOCH + end * DAY)


def month_of_minutes(month: Month) -> Span:
    """Return a month of UTC as a span."""
    later = month.plus(1)
    return Span(
        datetime(month.year, month.number, 1, tzinfo=UTC),
        datetime(later.year, later.number, 1, tzinfo=UTC),
    )
