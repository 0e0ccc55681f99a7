"""Counts of the latest minutes for many indicators and window lengths in one statement.

All windows end at the same minute, so they share their parts: a range of minutes, hours or days is
read once for each indicator, however many windows contain it. That keeps the evaluation of
thousands of objectives within seconds. measurements.queries.counts_of_many counts other spans.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import TextClause, text

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span
from governance.operations.measurements.rollups import Grain, parts
from governance.operations.measurements.scoring import Counts

ROLLED_UP = "sum(c.minutes), sum(c.down), sum(c.good), sum(c.total)"
SUMS: dict[Grain, tuple[str, str]] = {
    "minute": (
        "indicator_minutes",
        "count(*), count(*) FILTER (WHERE c.down), sum(c.good), sum(c.total)",
    ),
    "hour": ("indicator_hours", ROLLED_UP),
    "day": ("indicator_days", ROLLED_UP),
}
COLUMNS = 4  # Number of columns of Counts


class Segment(NamedTuple):
    """A range to read, in minutes before the end, with the places of its windows."""

    grain: Grain
    start: int
    end: int
    places: tuple[int, ...]


def last_counts(
    indicator_ids: Collection[UUID], lengths: Sequence[int], at: datetime
) -> dict[UUID, dict[int, Counts]]:
    """Return, by indicator and length, the counts of the `length` minutes before `at`."""
    if not indicator_ids or not lengths:
        return {}
    segments = segments_of(tuple(lengths), at)
    values: dict[str, Any] = {"tenant": current.actor().tenant_id, "ids": list(indicator_ids)}
    for each in segments:
        values[f"b{each.start}"] = at - each.start * MINUTE
        values[f"b{each.end}"] = at - each.end * MINUTE
    found: dict[UUID, dict[int, Counts]] = {}
    for row in session().execute(_statement(segments, len(lengths)), values):
        found[row[0]] = {
            length: Counts(*row[1 + COLUMNS * n : 1 + COLUMNS * (n + 1)])
            for n, length in enumerate(lengths)
        }
    return found


def segments_of(lengths: tuple[int, ...], at: datetime) -> tuple[Segment, ...]:
    """Return the disjoint ranges that make up all windows. Each row is read and added once."""
    pieces: dict[Grain, list[tuple[int, int, int]]] = {}
    for place, length in enumerate(lengths):
        for grain, span in parts(Span(at - length * MINUTE, at)):
            before = (at - span.start) // MINUTE, (at - span.end) // MINUTE
            pieces.setdefault(grain, []).append((place, *before))
    found = []
    for grain, windows in pieces.items():
        edges = sorted({edge for window in windows for edge in window[1:]}, reverse=True)
        for start, end in pairwise(edges):
            within = tuple(
                place for place, first, last in windows if first >= start and last <= end
            )
            if within:
                found.append(Segment(grain, start, end, within))
    return tuple(found)


@lru_cache(maxsize=512)
def _statement(segments: tuple[Segment, ...], lengths: int) -> TextClause:
    """Build a statement with one row per indicator.

    The segments of a set of lengths depend only on the minute of the day.
    """
    laterals, sums = [], [["0"] * COLUMNS for _ in range(lengths)]
    for n, each in enumerate(segments):
        table, columns = SUMS[each.grain]
        laterals.append(
            f"CROSS JOIN LATERAL (SELECT {columns} FROM {table} c"  # noqa: S608 - names of ours
            " WHERE c.tenant_id = :tenant AND c.indicator_id = i.id"
            f" AND c.at >= :b{each.start} AND c.at < :b{each.end}) AS r{n} (c0, c1, c2, c3)"
        )
        for place in each.places:
            for k in range(COLUMNS):
                sums[place][k] += f" + coalesce(r{n}.c{k}, 0)"
    chosen = ", ".join(f"({total})::bigint" for four in sums for total in four)
    return text(
        f"SELECT i.id, {chosen} FROM unnest(CAST(:ids AS uuid[])) AS i (id) {' '.join(laterals)}"  # noqa: S608 - ours
    )


LOST_SINCE = text("""
SELECT DISTINCT d.indicator_id FROM indicator_days d
WHERE d.tenant_id = :tenant AND d.indicator_id = ANY(CAST(:ids AS uuid[]))
  AND d.at >= :first AND (d.down > 0 OR d.total > d.good)
""")


def lost_since(indicator_ids: Collection[UUID], since: datetime) -> set[UUID]:
    """Return the indicators that lost anything since the start of that UTC day."""
    values = {
        "tenant": current.actor().tenant_id,
        "ids": list(indicator_ids),
        "first": since.replace(hour=0, minute=0, second=0, microsecond=0),
    }
    return set(session().scalars(LOST_SINCE, values))
