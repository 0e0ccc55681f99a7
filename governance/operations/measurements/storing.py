"""Write minute counts and their rollups in one exact statement per batch.

The rows of the batch's indicators are locked before, in order of id. So of two batches with the
same minutes the second sees the first, and they can't deadlock.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.monthly_partitions import months_between
from governance.operations.measurements import partitions
from governance.operations.measurements.rollups import EPOCH, minute_at

MAX_COUNT = 10**12  # Events per minute, so that a month adds up within 64 bits


@dataclass(slots=True)
class MinuteColumns:
    """Minutes to store by column; each minute of an indicator occurs once, the last counts.

    `which` is the place of the indicator in `ids`, from 1; `minutes` are numbers of rollups.py.
    `repeated` counts rows equal to an earlier one, `replaced` rows that differ from it.
    """

    ids: list[UUID] = field(default_factory=list)
    which: list[int] = field(default_factory=list)
    minutes: list[int] = field(default_factory=list)
    good: list[int] = field(default_factory=list)
    total: list[int] = field(default_factory=list)
    repeated: int = 0
    replaced: int = 0
    _rows: dict[int, int] = field(default_factory=dict)

    def place_of(self, indicator_id: UUID) -> int:
        """Add an indicator. Return its place."""
        self.ids.append(indicator_id)
        return len(self.ids)

    def add(self, place: int, minute: int, good: int, total: int) -> None:
        """Add a row of the indicator at that place."""
        end = len(self.minutes)
        row = self._rows.setdefault(place << 32 | minute, end)
        if row == end:
            self.which.append(place)
            self.minutes.append(minute)
            self.good.append(good)
            self.total.append(total)
        elif (self.good[row], self.total[row]) == (good, total):
            self.repeated += 1
        else:
            self.replaced += 1
            self.good[row], self.total[row] = good, total

    def of_each(self) -> Iterator["MinuteColumns"]:
        """Yield the same minutes by indicator, in order of id."""
        by_place: dict[int, MinuteColumns] = {}
        for place, minute, good, total in zip(
            self.which, self.minutes, self.good, self.total, strict=True
        ):
            if place not in by_place:
                by_place[place] = MinuteColumns([self.ids[place - 1]])
            by_place[place].add(1, minute, good, total)
        yield from sorted(by_place.values(), key=lambda columns: columns.ids)


@dataclass(frozen=True, slots=True)
class Written:
    """The result of a batch: `accepted` minutes are new, `corrected` ones had another value."""

    accepted: int = 0
    corrected: int = 0
    unchanged: int = 0
    indicator_ids: tuple[UUID, ...] = ()
    first: datetime | None = None
    last: datetime | None = None

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.accepted + other.accepted,
            self.corrected + other.corrected,
            self.unchanged + other.unchanged,
            tuple(sorted({*self.indicator_ids, *other.indicator_ids})),
            min((each for each in (self.first, other.first) if each), default=None),
            max((each for each in (self.last, other.last) if each), default=None),
        )


_WRITE = """
WITH given AS MATERIALIZED (
  SELECT i.id AS indicator_id, to_timestamp(g.minute * 60) AS at, g.good, g.total,
    i.kind = 'downtime' AND g.total >= greatest(i.min_requests, 1)
      AND CASE WHEN coalesce(i.floor, 0) = 0 THEN g.good = 0
        ELSE g.good < i.floor * g.total END AS down
  FROM unnest(CAST(:which AS int[]), CAST(:minutes AS bigint[]), CAST(:good AS bigint[]),
    CAST(:total AS bigint[])) AS g (which, minute, good, total)
  JOIN indicators i ON i.tenant_id = :tenant AND i.id = (CAST(:ids AS uuid[]))[g.which]
), compared AS MATERIALIZED (
  SELECT g.*, m.at IS NULL AS is_new, m.good AS old_good, m.total AS old_total,
    m.down AS old_down
  FROM given g {known}
), changed AS MATERIALIZED (
  SELECT * FROM compared WHERE is_new OR old_good <> good OR old_total <> total
), added AS (
  INSERT INTO indicator_minutes (tenant_id, indicator_id, at, received_at, good, total, down)
  SELECT :tenant, indicator_id, at, :now, good, total, down FROM changed WHERE is_new
), corrected AS (
  INSERT INTO indicator_minutes (tenant_id, indicator_id, at, received_at, good, total, down)
  SELECT :tenant, indicator_id, at, :now, good, total, down FROM changed WHERE NOT is_new
  ON CONFLICT (tenant_id, indicator_id, at) DO UPDATE SET received_at = excluded.received_at,
    good = excluded.good, total = excluded.total, down = excluded.down
), by_hour AS MATERIALIZED (
  SELECT indicator_id, date_bin('1 hour', at, :epoch) AS at, count(*) FILTER (WHERE is_new)
    AS minutes, sum(down::int - coalesce(old_down, false)::int) AS down,
    sum(good - coalesce(old_good, 0)) AS good, sum(total - coalesce(old_total, 0)) AS total
  FROM changed GROUP BY 1, 2
), hours AS (
  INSERT INTO indicator_hours AS h (tenant_id, indicator_id, at, minutes, down, good, total)
  SELECT :tenant, indicator_id, at, minutes, down, good, total FROM by_hour
  ON CONFLICT (tenant_id, indicator_id, at) DO UPDATE SET minutes = h.minutes + excluded.minutes,
    down = h.down + excluded.down, good = h.good + excluded.good, total = h.total + excluded.total
), days AS (
  INSERT INTO indicator_days AS d (tenant_id, indicator_id, at, minutes, down, good, total)
  SELECT :tenant, indicator_id, date_bin('1 day', at, :epoch), sum(minutes), sum(down), sum(good),
    sum(total) FROM by_hour GROUP BY 2, 3
  ON CONFLICT (tenant_id, indicator_id, at) DO UPDATE SET minutes = d.minutes + excluded.minutes,
    down = d.down + excluded.down, good = d.good + excluded.good, total = d.total + excluded.total
)
SELECT count(*) FILTER (WHERE is_new) AS accepted, count(*) FILTER (WHERE NOT is_new) AS corrected,
  array_agg(DISTINCT indicator_id) AS indicator_ids, min(at) AS first, max(at) AS last
FROM changed
"""
# Join the known minutes: by one range per indicator for a batch that fills most of its span, and
# minute by minute for a sparse one.
_BY_RANGE = """LEFT JOIN indicator_minutes m ON m.tenant_id = :tenant
    AND m.indicator_id = ANY(CAST(:ids AS uuid[])) AND m.at BETWEEN :first AND :last
    AND m.indicator_id = g.indicator_id AND m.at = g.at"""
_BY_MINUTE = """LEFT JOIN LATERAL (
    SELECT at, good, total, down FROM indicator_minutes WHERE tenant_id = :tenant
      AND indicator_id = g.indicator_id AND at = g.at AND at BETWEEN :first AND :last LIMIT 1
  ) m ON true"""
WRITE_DENSE = text(_WRITE.replace("{known}", _BY_RANGE))
WRITE_SPARSE = text(_WRITE.replace("{known}", _BY_MINUTE))
DENSE = 10  # Maximum minutes of the span per row


def write(columns: MinuteColumns) -> Written:
    """Store the minutes and add them to their hours and days. The caller locks the indicators."""
    if not columns.minutes:
        return Written()
    first, last = minute_at(min(columns.minutes)), minute_at(max(columns.minutes))
    partitions.MINUTES.ensure(months_between(first, last))
    span = len(columns.ids) * (max(columns.minutes) - min(columns.minutes) + 1)
    is_dense = span <= DENSE * len(columns.minutes)
    row = (
        session()
        .execute(
            WRITE_DENSE if is_dense else WRITE_SPARSE,
            {
                "tenant": current.actor().tenant_id,
                "ids": columns.ids,
                "which": _array(columns.which),
                "minutes": _array(columns.minutes),
                "good": _array(columns.good),
                "total": _array(columns.total),
                "first": first,
                "last": last,
                "now": clock.now(),
                "epoch": EPOCH,
            },
        )
        .one()
    )
    unchanged = len(columns.minutes) - row.accepted - row.corrected
    return Written(
        row.accepted,
        row.corrected,
        unchanged,
        tuple(sorted(row.indicator_ids or ())),
        row.first,
        row.last,
    )


def _array(numbers: Sequence[int]) -> str:
    """Return an array in PostgreSQL's syntax, since a list would be converted number by number."""
    return "{" + ",".join(map(str, numbers)) + "}"
