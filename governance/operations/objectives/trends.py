"""Burn rates of the last seven days, for the small charts of a list: one statement for all rows."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.intervals import Span, difference
from governance.operations.measurements.scoring import Counts, burn_rate
from governance.operations.objectives.reading import Plan, Reading

POINTS, HOURS_A_POINT = 28, 6
HOUR = timedelta(hours=1)

# Hours that an exclusion, or time outside service hours, touches are left out.
BURN = text("""
SELECT w.place, CAST(floor(extract(epoch FROM (h.at - :start)) / 21600) AS int) AS point,
  sum(h.minutes)::bigint AS minutes, sum(h.down)::bigint AS down, sum(h.good)::bigint AS good,
  sum(h.total)::bigint AS total
FROM unnest(CAST(:ids AS uuid[])) WITH ORDINALITY AS w (indicator_id, place)
JOIN indicator_hours h ON h.tenant_id = :tenant AND h.indicator_id = w.indicator_id
  AND h.at >= :start AND h.at < :until
WHERE NOT EXISTS (
  SELECT 1 FROM unnest(CAST(:places AS int[]), CAST(:starts AS timestamptz[]),
    CAST(:ends AS timestamptz[])) AS x (place, start, until)
  WHERE x.place = w.place AND x.start < h.at + interval '1 hour' AND x.until > h.at)
GROUP BY 1, 2
""")


def burns(readings: Sequence[tuple[Plan, Reading]]) -> dict[UUID, list[float | None]]:
    """Return 28 burn rates of six hours each by objective; None where there is no data."""
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
    for row in rows:
        _plan, reading = readings[row.place - 1]
        counts = Counts(row.minutes, row.down, row.good, row.total)
        rate = burn_rate(counts, reading.kind, reading.objective.target_share)
        found[reading.objective.id][row.point] = None if rate is None else float(rate)
    return found
