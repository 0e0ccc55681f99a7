"""The statements that add up counts, of any number of windows at once.

Each part of a window (rollups.py) is one range of an index, of minutes, hours or days.
"""

from collections.abc import Sequence
from itertools import combinations, groupby
from operator import itemgetter
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
  SELECT w.place, p.cut, s.* FROM unnest(CAST(:ids AS uuid[]), CAST(:asked AS int[]))
    WITH ORDINALITY AS w (indicator_id, asked, place)
  JOIN unnest(CAST(:of AS int[]), CAST(:cuts AS int[])) AS a (asked, cut) ON a.asked = w.asked
  JOIN unnest(CAST(:{grain}_cuts AS int[]), CAST(:{grain}_starts AS timestamptz[]),
    CAST(:{grain}_ends AS timestamptz[])) AS p (cut, start, until) ON p.cut = a.cut
  CROSS JOIN LATERAL (
    SELECT {columns}, sum(c.good) AS good, sum(c.total) AS total FROM {table} c
    WHERE c.tenant_id = :tenant AND c.indicator_id = w.indicator_id
      AND c.at >= p.start AND c.at < p.until
      AND c.at >= CAST(:{grain}_first AS timestamptz) AND c.at < CAST(:{grain}_last AS timestamptz)
  ) AS s"""  # noqa: S608 - two names of ours


_ADDED_UP = ", ".join(
    f"coalesce(sum({each}), 0)::bigint AS {each}" for each in ("minutes", "down", "good", "total")
)


def _statement(chosen: tuple[str, ...]) -> TextClause:
    sums = " UNION ALL ".join(map(_sum_of, chosen))
    query = f"SELECT place, cut, {_ADDED_UP} FROM ({sums}) AS sums GROUP BY 1, 2"  # noqa: S608 - names of ours
    return text(query)


COUNT = {
    chosen: _statement(chosen)
    for size in range(1, len(GRAINS) + 1)
    for chosen in combinations(GRAINS, size)
}

NOTHING = Counts()


def counts_of_many(windows: Sequence[tuple[UUID, Sequence[Span]]]) -> list[Counts]:
    """The counts of each window, in the order given; one statement, none for empty windows.

    Windows of a list often have the same spans, as one object: these are cut and sent once. The
    windows of one indicator that stand together are one row of what is asked.
    """
    cuts: dict[int, int] = {}  # number of the cut by the identity of its spans
    ranges: dict[str, list[tuple[int, Span]]] = {}
    for _indicator_id, spans in windows:
        if id(spans) in cuts:
            continue
        cut = cuts[id(spans)] = len(cuts)
        for span in union(spans):
            for grain, part in parts(span):
                ranges.setdefault(grain, []).append((cut, part))
    chosen = tuple(grain for grain in GRAINS if grain in ranges)
    if not chosen:
        return [Counts()] * len(windows)
    rows: list[tuple[UUID, tuple[int, ...]]] = [
        (indicator_id, tuple(cuts[id(spans)] for _id, spans in together))
        for indicator_id, together in groupby(windows, key=itemgetter(0))
    ]
    values = _asked(rows)
    for grain in chosen:
        values |= _ranges(grain, ranges[grain])
    found = {
        (row.place, row.cut): Counts(row.minutes, row.down, row.good, row.total)
        for row in session().execute(COUNT[chosen], values)
    }
    return [
        found.get((place, cut), NOTHING)
        for place, (_indicator_id, its) in enumerate(rows, start=1)
        for cut in its
    ]


def _asked(rows: Sequence[tuple[UUID, tuple[int, ...]]]) -> dict[str, Any]:
    """The parameters that say which cuts are asked of which indicator."""
    numbers: dict[tuple[int, ...], int] = {}
    for _indicator_id, its in rows:
        numbers.setdefault(its, len(numbers))
    pairs = [(number, cut) for its, number in numbers.items() for cut in sorted(set(its))]
    return {
        "tenant": current.actor().tenant_id,
        "ids": [indicator_id for indicator_id, _its in rows],
        "asked": [numbers[its] for _indicator_id, its in rows],
        "of": [number for number, _cut in pairs],
        "cuts": [cut for _number, cut in pairs],
    }


def _ranges(grain: str, found: Sequence[tuple[int, Span]]) -> dict[str, Any]:
    spans = [span for _cut, span in found]
    return {
        f"{grain}_cuts": [cut for cut, _span in found],
        f"{grain}_starts": [span.start for span in spans],
        f"{grain}_ends": [span.end for span in spans],
        f"{grain}_first": min(span.start for span in spans),
        f"{grain}_last": max(span.end for span in spans),
    }
