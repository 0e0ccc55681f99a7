"""Spans of minutes with data; full hours are read from rollups."""

from uuid import UUID

from sqlalchemy import text

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span, union
from governance.operations.measurements.rollups import HOUR, inner

KNOWN = text("""
WITH complete AS MATERIALIZED (
  SELECT at FROM indicator_hours WHERE tenant_id = :tenant AND indicator_id = :indicator_id
    AND at >= :first_hour AND at < :last_hour AND minutes = 60
), known AS (
  SELECT at FROM indicator_minutes m WHERE tenant_id = :tenant AND indicator_id = :indicator_id
    AND at >= :start AND at < :until
    AND date_trunc('hour', at, 'UTC') NOT IN (SELECT at FROM complete)
)
SELECT min(at) AS start, max(at) + interval '1 hour' AS until
  FROM (SELECT at, at - row_number() OVER (ORDER BY at) * interval '1 hour' AS run FROM complete)
  AS hours GROUP BY run
UNION ALL
SELECT min(at), max(at) + interval '1 minute'
  FROM (SELECT at, at - row_number() OVER (ORDER BY at) * interval '1 minute' AS run FROM known)
  AS minutes GROUP BY run
""")


def known_spans(indicator_id: UUID, span: Span) -> list[Span]:
    """Return the minutes of the span with data, as disjoint spans in order. Runs one statement."""
    hours = inner(span, HOUR) or Span(span.start, span.start)
    rows = session().execute(
        KNOWN,
        {
            "tenant": current.actor().tenant_id,
            "indicator_id": indicator_id,
            "start": span.start,
            "until": span.end,
            "first_hour": hours.start,
            "last_hour": hours.end,
        },
    )
    return union(Span(row.start, row.until) for row in rows)


def between(known: list[Span], span: Span, *, min_minutes: int = 1) -> list[Span]:
    """Return the gaps of at least `min_minutes` between known spans inside `span`."""
    found, start = [], span.start
    for each in known:
        if each.start - start >= min_minutes * MINUTE:
            found.append(Span(start, each.start))
        start = each.end
    if span.end - start >= max(min_minutes, 1) * MINUTE:
        found.append(Span(start, span.end))
    return found
