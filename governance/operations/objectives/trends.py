"""Burn rates of the last seven days, for the small charts of a list: one statement for all rows."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.intervals import Span, difference
from governance.operations.objectives.reading import Plan, Reading

POINTS, HOURS_A_POINT = 28, 6
HOUR = timedelta(hours=1)

# Hours that an exclusion, or time outside service hours, touches are left out.
BURN = text("""
SELECT place, array_agg(point) AS points, array_agg(lost::float8 / measured) AS shares
FROM (
  SELECT w.place, CAST(floor(extract(epoch FROM (h.at - :start)) / 21600) AS int) AS point,
    sum(CASE WHEN w.counts_minutes THEN h.down ELSE h.total - h.good END) AS lost,
    sum(CASE WHEN w.counts_minutes THEN h.minutes ELSE h.total END) AS measured
  FROM unnest(CAST(:ids AS uuid[]), CAST(:counts_minutes AS bool[]))
    WITH ORDINALITY AS w (indicator_id, counts_minutes, place)
  JOIN indicator_hours h ON h.tenant_id = :tenant AND h.indicator_id = w.indicator_id
    AND h.at >= :start AND h.at < :until
  WHERE NOT EXISTS (
    SELECT 1 FROM unnest(CAST(:places AS int[]), CAST(:starts AS timestamptz[]),
      CAST(:ends AS timestamptz[])) AS x (place, start, until)
    WHERE x.place = w.place AND x.start < h.at + interval '1 hour' AND x.until > h.at)
  GROUP BY 1, 2) AS summed
WHERE measured > 0 GROUP BY 1
""")


def burns(readings: Sequence[tuple[Plan, Reading]]) -> dict[UUID, list[float | None]]:
    """Return 28 burn rates of six hours each by objective; None for hours without data."""
    if not readings:
        return {}
    end = max(reading.at for _plan, reading in readings).replace(minute=0) + HOUR
    week = Span(end - HOURS_A_POINT * POINTS * HOUR, end)
    out = [
        (place, span)
        for place, (plan, _reading) in enumerate(readings, start=1)
        for span in difference([Span(week.start, plan.window.so_far.end)], plan.spans.last_week)
    ]
    rows = session().execute(
        BURN,
        {
            "tenant": current.actor().tenant_id,
            "ids": [reading.indicator.id for _plan, reading in readings],
            "counts_minutes": [reading.kind == "downtime" for _plan, reading in readings],
            "start": week.start,
            "until": week.end,
            "places": [place for place, _span in out],
            "starts": [span.start for _place, span in out],
            "ends": [span.end for _place, span in out],
        },
    )
    found: dict[UUID, list[float | None]] = {
        reading.objective.id: [None] * POINTS for _plan, reading in readings
    }
    for row in rows.all():
        objective = readings[row.place - 1][1].objective
        allowed = float(1 - objective.target_share)
        for point, share in zip(row.points, row.shares, strict=True):
            found[objective.id][point] = share / allowed
    return found
