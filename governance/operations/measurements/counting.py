"""The statements that add up counts, of any number of windows at once.

Each part of a window (rollups.py) is one range of an index, of minutes, hours or days.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.intervals import Span, union
from governance.operations.measurements.rollups import GRAINS, parts
from governance.operations.measurements.scoring import Counts

_ROLLED_UP = "sum(c.minutes) AS minutes, sum(c.down) AS down"
_SUMS = {
    "minute": ("indicator_minutes", "count(*) AS minutes, count(*) FILTER (WHERE c.down) AS down"),
    "hour": ("indicator_hours", _ROLLED_UP),
    "day": ("indicator_days", _ROLLED_UP),
}


def _sum_of(grain: str) -> str:
    table, columns = _SUMS[grain]
    return f"""
  SELECT w.place, s.* FROM unnest(CAST(:{grain}_places AS int[]), CAST(:{grain}_ids AS uuid[]),
    CAST(:{grain}_starts AS timestamptz[]), CAST(:{grain}_ends AS timestamptz[]))
    AS w (place, indicator_id, start, until)
  CROSS JOIN LATERAL (
    SELECT {columns}, sum(c.good) AS good, sum(c.total) AS total FROM {table} c
    WHERE c.tenant_id = :tenant AND c.indicator_id = w.indicator_id
      AND c.at >= w.start AND c.at < w.until
      AND c.at >= CAST(:{grain}_first AS timestamptz) AND c.at < CAST(:{grain}_last AS timestamptz)
  ) AS s"""  # noqa: S608 - two names of ours


_ADDED_UP = ", ".join(
    f"coalesce(sum({each}), 0)::bigint AS {each}" for each in ("minutes", "down", "good", "total")
)


def _statement(chosen: tuple[str, ...]) -> TextClause:
    sums = " UNION ALL ".join(map(_sum_of, chosen))
    query = f"SELECT place, {_ADDED_UP} FROM ({sums}) AS sums GROUP BY place"  # noqa: S608 - names of ours
    return text(query)


COUNT = {
    chosen: _statement(chosen)
    for size in range(1, len(GRAINS) + 1)
    for chosen in combinations(GRAINS, size)
}


def counts_of_many(windows: Sequence[tuple[UUID, Sequence[Span]]]) -> list[Counts]:
    """The counts of each window, in the order given; one statement, none for empty windows."""
    found = [Counts()] * len(windows)
    ranges: dict[str, list[tuple[int, UUID, Span]]] = {}
    cut: dict[int, list[tuple[str, Span]]] = {}  # many windows of a list are the same object
    for place, (indicator_id, spans) in enumerate(windows):
        if id(spans) not in cut:
            cut[id(spans)] = [each for span in union(spans) for each in parts(span)]
        for grain, part in cut[id(spans)]:
            ranges.setdefault(grain, []).append((place, indicator_id, part))
    chosen = tuple(grain for grain in GRAINS if grain in ranges)
    if not chosen:
        return found
    values: dict[str, Any] = {"tenant": current.actor().tenant_id}
    for grain in chosen:
        values |= _ranges(grain, ranges[grain])
    for row in session().execute(COUNT[chosen], values):
        found[row.place] = Counts(row.minutes, row.down, row.good, row.total)
    return found


def _ranges(grain: str, found: Sequence[tuple[int, UUID, Span]]) -> dict[str, Any]:
    spans = [span for _place, _id, span in found]
    return {
        f"{grain}_places": [place for place, _id, _span in found],
        f"{grain}_ids": [indicator_id for _place, indicator_id, _span in found],
        f"{grain}_starts": [span.start for span in spans],
        f"{grain}_ends": [span.end for span in spans],
        f"{grain}_first": min(span.start for span in spans),
        f"{grain}_last": max(span.end for span in spans),
    }
