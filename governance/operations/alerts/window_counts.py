"""Counts of the last so many minutes, of many indicators and many lengths in one statement.

All windows end at the same minute, so they share their parts: one range of minutes or hours or days
is read once for each indicator, whatever the number of windows that contain it. That keeps the
evaluation of thousands of objectives within seconds; any other spans are counted by
measurements.queries.counts_of_many.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.intervals import MINUTE, Span, union
from governance.operations.measurements.rollups import Grain, parts
from governance.operations.measurements.scoring import Counts

TABLES: dict[Grain, str] = {
    "minute": "indicator_minutes",
    "hour": "indicator_hours",
    "day": "indicator_days",
}
ROLLED_UP = tuple(
    f"sum(c.{column}) FILTER (WHERE {{within}})" for column in ("minutes", "down", "good", "total")
)
TOTALS: dict[Grain, tuple[str, ...]] = {
    "minute": (
        "count(*) FILTER (WHERE {within})",
        "count(*) FILTER (WHERE {within} AND c.down)",
        *ROLLED_UP[2:],
    ),
    "hour": ROLLED_UP,
    "day": ROLLED_UP,
}
COLUMNS = 4  # of Counts
type Ranges = tuple[tuple[Grain, int, int, tuple[tuple[int, int, int], ...]], ...]


def last_counts(
    indicator_ids: Collection[UUID], lengths: Sequence[int], at: datetime
) -> dict[UUID, dict[int, Counts]]:
    """Return, by indicator and length, the counts of the `length` minutes before `at`."""
    if not indicator_ids or not lengths:
        return {}
    ranges = _ranges(tuple(lengths), at)
    values: dict[str, Any] = {"tenant": current.actor().tenant_id, "ids": list(indicator_ids)}
    for _grain, start, end, windows in ranges:
        edges = {start, end, *(edge for window in windows for edge in window[1:])}
        values |= {f"b{minutes}": at - minutes * MINUTE for minutes in edges}
    found: dict[UUID, dict[int, Counts]] = {}
    for row in session().execute(_statement(ranges, len(lengths)), values):
        found[row[0]] = {
            length: Counts(*row[1 + COLUMNS * n : 1 + COLUMNS * (n + 1)])
            for n, length in enumerate(lengths)
        }
    return found


def _ranges(lengths: tuple[int, ...], at: datetime) -> Ranges:
    """The disjoint ranges to read, as minutes before `at`, each with the windows that it feeds:
    (place of the length, from, until).
    """
    pieces: dict[Grain, list[tuple[int, Span]]] = {}
    for place, length in enumerate(lengths):
        for grain, span in parts(Span(at - timedelta(minutes=length), at)):
            pieces.setdefault(grain, []).append((place, span))
    return tuple(
        (
            grain,
            (at - whole.start) // MINUTE,
            (at - whole.end) // MINUTE,
            tuple(
                (place, (at - span.start) // MINUTE, (at - span.end) // MINUTE)
                for place, span in found
                if whole.start <= span.start and span.end <= whole.end
            ),
        )
        for grain, found in pieces.items()
        for whole in union(span for _place, span in found)
    )


@lru_cache(maxsize=512)
def _statement(ranges: Ranges, lengths: int) -> TextClause:
    """One row an indicator. The ranges of a set of lengths depend on the minute of the day alone."""
    laterals, sums = [], [["0"] * COLUMNS for _ in range(lengths)]
    for n, (grain, start, end, windows) in enumerate(ranges):
        columns = []
        for m, (place, first, until) in enumerate(windows):
            is_whole = (first, until) == (start, end)
            within = "true" if is_whole else f"c.at >= :b{first} AND c.at < :b{until}"
            for k, total in enumerate(TOTALS[grain]):
                columns.append(f"coalesce({total.format(within=within)}, 0) AS s{m}_{k}")
                sums[place][k] += f" + r{n}.s{m}_{k}"
        laterals.append(
            f"CROSS JOIN LATERAL (SELECT {', '.join(columns)} FROM {TABLES[grain]} c"  # noqa: S608 - ours
            " WHERE c.tenant_id = :tenant AND c.indicator_id = i.id"
            f" AND c.at >= :b{start} AND c.at < :b{end}) AS r{n}"
        )
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
    """Return the indicators that lost anything since the beginning of that day of UTC."""
    values = {
        "tenant": current.actor().tenant_id,
        "ids": list(indicator_ids),
        "first": since.replace(hour=0, minute=0, second=0, microsecond=0),
    }
    return set(session().scalars(LOST_SINCE, values))
