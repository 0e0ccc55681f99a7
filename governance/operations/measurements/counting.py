"""Statements that add up counts of any number of windows at once.

Each part of a window (rollups.py) is one index range of minutes, hours or days, added or
subtracted.
"""

from collections.abc import Sequence
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.intervals import Span, union
from governance.operations.measurements.rollups import GRAINS, Grain, SignedPart, signed_parts
from governance.operations.measurements.scoring import Counts

_ROLLED_UP = "sum(c.minutes)::bigint AS minutes, sum(c.down)::bigint AS down"
_SUMS = {
    "minute": ("indicator_minutes", "count(*) AS minutes, count(*) FILTER (WHERE c.down) AS down"),
    "hour": ("indicator_hours", _ROLLED_UP),
    "day": ("indicator_days", _ROLLED_UP),
}


def _sum_of(grain: str) -> str:
    table, columns = _SUMS[grain]
    return f"""
  SELECT w.place, w.asked, p.part, s.* FROM unnest(CAST(:ids AS uuid[]), CAST(:asked AS int[]))
    WITH ORDINALITY AS w (indicator_id, asked, place)
  JOIN unnest(CAST(:{grain}_asked AS int[]), CAST(:{grain}_parts AS int[]),
    CAST(:{grain}_starts AS timestamptz[]), CAST(:{grain}_ends AS timestamptz[]))
    AS p (asked, part, start, until) ON p.asked = w.asked
  CROSS JOIN LATERAL (
    SELECT {columns}, sum(c.good)::bigint AS good, sum(c.total)::bigint AS total
    FROM {table} c
    WHERE c.tenant_id = :tenant AND c.indicator_id = w.indicator_id
      AND c.at >= p.start AND c.at < p.until
      AND c.at >= CAST(:{grain}_first AS timestamptz) AND c.at < CAST(:{grain}_last AS timestamptz)
  ) AS s"""  # noqa: S608 - two names of ours


_ADDED_UP = ", ".join(
    f"coalesce(sum(m.sign * s.{each}), 0)::bigint AS {each}"
    for each in ("minutes", "down", "good", "total")
)


def _statement(chosen: tuple[str, ...]) -> TextClause:
    sums = " UNION ALL ".join(map(_sum_of, chosen))
    return text(f"""SELECT s.place, m.cut, {_ADDED_UP} FROM ({sums}) AS s
  JOIN unnest(CAST(:of AS int[]), CAST(:part AS int[]), CAST(:cuts AS int[]),
    CAST(:signs AS int[])) AS m (asked, part, cut, sign) ON m.asked = s.asked AND m.part = s.part
  GROUP BY 1, 2""")  # noqa: S608 - names of ours


COUNT = {
    chosen: _statement(chosen)
    for size in range(1, len(GRAINS) + 1)
    for chosen in combinations(GRAINS, size)
}

NOTHING = Counts()


def counts_of_many(windows: Sequence[tuple[UUID, Sequence[Span]]]) -> list[Counts]:
    """Return the counts of each window, in the given order.

    Runs one statement, or none for empty windows.

    Windows of a list often share one object of spans, which is cut and sent once. Adjacent windows
    of one indicator are one row of the request.
    """
    now = clock.now()
    cuts: dict[int, int] = {}  # Number of the cut by the identity of its spans
    made_of: list[list[SignedPart]] = []  # Parts of each cut
    for _indicator_id, spans in windows:
        if id(spans) not in cuts:
            cuts[id(spans)] = len(made_of)
            made_of.append([part for span in union(spans) for part in signed_parts(span, now)])
    if not any(made_of):
        return [NOTHING] * len(windows)
    rows: list[tuple[UUID, tuple[int, ...]]] = [
        (indicator_id, tuple(cuts[id(spans)] for _id, spans in together))
        for indicator_id, together in groupby(windows, key=itemgetter(0))
    ]
    chosen, values = _asked(rows, made_of)
    found = {
        (row.place, row.cut): Counts(row.minutes, row.down, row.good, row.total)
        for row in session().execute(COUNT[chosen], values).all()
    }
    return [
        found.get((place, cut), NOTHING)
        for place, (_indicator_id, its) in enumerate(rows, start=1)
        for cut in its
    ]


def _asked(
    rows: Sequence[tuple[UUID, tuple[int, ...]]], made_of: Sequence[Sequence[SignedPart]]
) -> tuple[tuple[Grain, ...], dict[str, Any]]:
    """Return the grains to read, and the parameters.

    Indicators with the same cuts share one number, `asked`. A part that several of its cuts share
    is read once.
    """
    groups: dict[tuple[int, ...], int] = {}
    for _indicator_id, its in rows:
        groups.setdefault(its, len(groups))
    used: list[tuple[int, int, int, int]] = []  # group, part, cut, sign
    read: dict[tuple[int, Grain, Span], int] = {}  # number of the part
    for its, group in groups.items():
        for cut in sorted(set(its)):
            for grain, span, sign in made_of[cut]:
                part = read.setdefault((group, grain, span), len(read))
                used.append((group, part, cut, sign))
    values: dict[str, Any] = {
        "tenant": current.actor().tenant_id,
        "ids": [indicator_id for indicator_id, _its in rows],
        "asked": [groups[its] for _indicator_id, its in rows],
    }
    values |= zip(("of", "part", "cuts", "signs"), map(list, zip(*used, strict=True)), strict=True)
    chosen = tuple(grain for grain in GRAINS if any(key[1] == grain for key in read))
    for grain in chosen:
        its_parts = [(*key, part) for key, part in read.items() if key[1] == grain]
        values |= {
            f"{grain}_asked": [group for group, _grain, _span, _part in its_parts],
            f"{grain}_parts": [part for *_key, part in its_parts],
            f"{grain}_starts": [span.start for _group, _grain, span, _part in its_parts],
            f"{grain}_ends": [span.end for _group, _grain, span, _part in its_parts],
            f"{grain}_first": min(span.start for _group, _grain, span, _part in its_parts),
            f"{grain}_last": max(span.end for _group, _grain, span, _part in its_parts),
        }
    return chosen, values
