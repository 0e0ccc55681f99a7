"""Usage events in ClickHouse; ids of recent events, days and people stay in PostgreSQL.

One row for each (tenant, instant, id): of rows that were inserted again, the latest counts. Events
are inserted before PostgreSQL commits. A process that is killed in between leaves events that no
day counts. If they are sent again, the new rows replace them. Otherwise forget_uncounted() removes
them, since no id was stored for the instant when they were received.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from governance.economics.usage import clickhouse_costs, copying, file_storing, partitions, storing
from governance.economics.usage.clickhouse_client import TABLE, ClickHouse
from governance.economics.usage.event_store import (
    Days,
    Rows,
    Stored,
    StoredPart,
    UnitPrice,
    rows_of,
)
from governance.economics.usage.models import EVENT_KEYS
from governance.economics.usage.usage_events import BUCKETS, UsageEvent
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError
from governance.kernel.intervals import Span
from governance.kernel.months import Month

INSTANT = "DateTime64(6, 'UTC')"
LOOKED_UP = 5_000  # ids per query
DELETED = 500  # instants per statement
LINGERING = timedelta(hours=1)  # how long an abandoned insert may still run
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
_NAMES = ("feature", "provider", "model", "outcome")
_TOKENS = [f"{each}_tokens" for each in BUCKETS]
# The columns of an event. A text field that an event omits is "".
COLUMNS = {
    "tenant_id": "UUID",
    "at": INSTANT,
    "event_id": "String",
    "received_at": INSTANT,
    "system_id": "UUID",
    **dict.fromkeys(_NAMES, "LowCardinality(String)"),
    **dict.fromkeys(("request", "task", "person"), "String"),
    **dict.fromkeys(_TOKENS, "UInt32"),
}
CREATE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} ({", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())},
  INDEX received received_at TYPE minmax)
ENGINE = ReplacingMergeTree(received_at)
PARTITION BY toYYYYMM(at) ORDER BY (tenant_id, at, event_id)"""


class ClickhouseEvents:
    """The event store of installations that need more than one machine."""

    def __init__(self, url: str) -> None:
        self.database = ClickHouse(url)

    def create_table(self) -> None:
        """Create the table if it doesn't exist."""
        self.database.command(CREATE)

    # ---- writing

    def write(self, events: Sequence[UsageEvent], systems: Mapping[str, UUID], zone: str) -> Stored:
        if not events:
            return Stored(0)
        lock_tenant("usage")
        now = clock.now()
        old = self._stored_before([(e.at, e.id) for e in events if e.at < now - storing.LONG_AGO])
        values = storing.values_of(events, systems) | {"zone": zone, "now": now} | old
        known = session().execute(_WRITE, values).all()
        found = {row.n - 1 for row in known}
        self._insert([e for n, e in enumerate(events) if n not in found], systems, now)
        return Stored(
            len(events) - len(known),
            tuple(row.n - 1 for row in known if row.is_same),
            tuple(row.n - 1 for row in known if not row.is_same),
        )

    def prepare_file(self) -> None:
        file_storing.prepare()
        session().execute(_CREATE_NEW)

    def write_part(self, tenant: Tenant, part: bytes, zone: str) -> StoredPart:
        file_storing.fill(part)
        now = clock.now()
        values = {"tenant": tenant.id, "now": now, "zone": zone}
        values["long_ago"] = now - storing.LONG_AGO
        with file_storing.in_tenant(tenant):
            lock_tenant("usage")
            candidates = [(row.at, row.event_id) for row in session().execute(_OLD, values)]
            before = self._stored_before(candidates)
            values |= before
            # The ids of old events may be forgotten, and events in PostgreSQL may not be moved yet.
            if not before["old_at"] and not session().scalar(_ANY_LEFT, values):
                new = file_storing.write_new(_WRITE_NEW_PART, values)
                if new is not None:
                    return StoredPart(new)
            found = session().execute(_WRITE_PART, values).one()
        return StoredPart(found.new, found.different)

    def finish_file(self) -> None:
        for lines in copying.lines(f"SELECT {copied()} FROM usage_file_new"):  # noqa: S608 - names of ours
            self.database.insert_lines(list(COLUMNS), lines)

    def forget_uncounted(self) -> int:
        lock_tenant("usage")
        now = clock.now()
        span = {"since": micros(now - storing.REMEMBERED), "until": micros(now - LINGERING)}
        received = {row[0]: row[1] for row in self.database.rows(_RECEIVED, **span)}
        known = select(EVENT_KEYS.c.received_at).distinct()
        known = known.where(EVENT_KEYS.c.tenant_id == current.actor().tenant_id)
        lost = received.keys() - {micros(at) for at in session().scalars(known)}
        for some in batched(sorted(lost), DELETED, strict=False):
            self.database.change(_FORGET, instants=list(some))
        return sum(received[each] for each in lost)

    def _stored_before(self, candidates: Sequence[tuple[datetime, str]]) -> dict[str, Any]:
        """Return stored events with these instants and ids, as bind values of the write statement.

        An event received in the last days either has its id in PostgreSQL or is counted by no day.
        """
        forgotten = micros(clock.now() - storing.REMEMBERED)
        found: list[Sequence[Any]] = []
        for some in batched(sorted(candidates), LOOKED_UP, strict=False):
            found += self.database.rows(
                _LOOK_UP,
                first=micros(some[0][0]),
                last=micros(some[-1][0]),
                ids=[event_id for _, event_id in some],
                forgotten=forgotten,
            )
        return {f"old_{name}": [row[n] for row in found] for n, name in enumerate(_OLD_KINDS)}

    def _insert(
        self, events: Sequence[UsageEvent], systems: Mapping[str, UUID], now: datetime
    ) -> None:
        if not events:
            return
        columns: dict[str, Sequence[Any]] = {
            "tenant_id": [current.actor().tenant_id] * len(events),
            "at": [each.at for each in events],
            "event_id": [each.id for each in events],
            "received_at": [now] * len(events),
            "system_id": [systems[each.system] for each in events],
            "feature": [each.feature or "" for each in events],
            "provider": [each.provider or "" for each in events],
            "model": [each.model for each in events],
            "outcome": [each.outcome for each in events],
            "request": [each.request or "" for each in events],
            "task": [each.task or "" for each in events],
            "person": [each.user or "" for each in events],
            **{f"{b}_tokens": [getattr(e.tokens, b) for e in events] for b in BUCKETS},
        }
        self.database.insert(columns, list(COLUMNS.values()))

    # ---- reading

    def counts(self, days: Days) -> Rows:
        self._check_moved(days.span)
        return rows_of(_COUNT_KINDS, self.database.rows(_COUNTS, **_values(days)))

    def people(self, days: Days) -> Rows:
        self._check_moved(days.span)
        return rows_of(_PEOPLE_KINDS, self.database.rows(_PEOPLE, **_values(days)))

    def tasks(self, span: Span, look_back: timedelta) -> Rows:
        self._check_moved(span)
        values = _span(span) | {"look_back": micros(span.start - look_back)}
        return rows_of(_TASK_KINDS, self.database.rows(_TASKS, **values))

    def costs(self, span: Span, zone: str, prices: Sequence[UnitPrice]) -> Rows:
        self._check_moved(span)
        return clickhouse_costs.costs(self.database, span, zone, prices)

    def _check_moved(self, span: Span) -> None:
        """Raise DomainError if events exist only in PostgreSQL: every figure would miss them."""
        mine = {"tenant": current.actor().tenant_id, "start": span.start, "until": span.end}
        left = session().scalar(_LEFT, mine) or 0
        if left and left > self.database.rows(_COUNT, **_span(span))[0][0]:
            raise DomainError(
                "Usage events of this time are still in PostgreSQL only. Run governance usage"
                " move-to-clickhouse, then try again."
            )

    # ---- everything of a tenant

    def count_outside(self) -> int:
        return int(self.database.rows(f"SELECT count() {_MINE}")[0][0])

    def lines_outside(self) -> Iterator[bytes]:
        for row in self.database.stream(_EVERYTHING):
            line = {name: _plain(value) for name, value in zip(COLUMNS, row, strict=True)}
            yield json.dumps(line, ensure_ascii=False).encode() + b"\n"

    def delete_outside(self) -> None:
        """Delete month by month, rewriting parts on disk: a row only marked as deleted stays there.

        If a statement takes longer than the time-out of an answer, ClickHouse completes it anyway.
        """
        for (name,) in self.database.rows(_MONTHS_OF_TENANT):
            self.database.change(_DELETE_MONTH, month=int(name))

    # ---- months

    def months(self) -> list[Month]:
        found = self.database.rows_of_all(_PARTITIONS)
        mine = {Month(int(name[:4]), int(name[4:])) for (name,) in found}
        return sorted({*partitions.EVENTS.existing(), *mine})

    def ensure_months(self, months: Iterable[Month]) -> None:
        """Do nothing: ClickHouse creates a partition with the first event of a month."""

    def drop_month(self, month: Month) -> None:
        partitions.EVENTS.drop(month)  # PostgreSQL refuses this before its retention has passed
        number = month.year * 100 + month.number
        self.database.command(f"ALTER TABLE {TABLE} DROP PARTITION {{month:UInt32}}", month=number)


def _plain(value: Any) -> Any:
    """Return a value as PostgreSQL writes it in JSON."""
    if isinstance(value, datetime):
        return value.isoformat()
    return value if isinstance(value, int | str) else str(value)


def copied() -> str:
    """Return the columns of a PostgreSQL row in the form that ClickHouse reads from COPY."""
    instants = "to_char({0} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')"
    return ", ".join(
        instants.format(name)
        if kind == INSTANT
        else f"coalesce({name}, '')"
        if "String" in kind
        else name
        for name, kind in COLUMNS.items()
    )


def micros(at: datetime) -> int:
    """Return an instant as microseconds since 1970, the form that ClickHouse binds."""
    return (at - EPOCH) // MICROSECOND


def _span(span: Span) -> dict[str, int]:
    return {"start": micros(span.start), "until": micros(span.end)}


def _values(days: Days) -> dict[str, Any]:
    return _span(days.span) | {"days": list(days.days), "zone": days.zone}


def instant(name: str) -> str:
    """Return the expression of an instant that is bound under this name, in microseconds."""
    return f"fromUnixTimestamp64Micro({{{name}:Int64}}, 'UTC')"


_MINE = f"FROM {TABLE} WHERE tenant_id = {{tenant:UUID}}"
_IN_SPAN = f"{_MINE} AND at >= {instant('start')} AND at < {instant('until')}"
_COUNT = f"SELECT count() {_IN_SPAN}"
_OF_DAYS = f"{_IN_SPAN} AND toDate(at, {{zone:String}}) IN {{days:Array(Date)}}"
_COUNT_KINDS = {"day": "date", "system_id": "uuid"} | dict.fromkeys(_NAMES, "text")
_COUNT_KINDS |= dict.fromkeys(("requests", *_TOKENS), "bigint")
_COUNTS = f"""
SELECT toDate(at, {{zone:String}}) AS day, system_id, {", ".join(_NAMES)}, count(),
  {", ".join(f"sum({name})" for name in _TOKENS)}
{_OF_DAYS} GROUP BY day, system_id, {", ".join(_NAMES)}"""
_PEOPLE_KINDS = {
    "month": "date",
    "system_id": "uuid",
    "feature": "text",
    "person": "text",
    "days": "int",
}
_PEOPLE = f"""
SELECT toStartOfMonth(toDate(at, {{zone:String}})) AS month, system_id, feature, person,
  groupBitOr(bitShiftLeft(toUInt32(1), toDayOfMonth(toDate(at, {{zone:String}})) - 1))
{_OF_DAYS} AND person <> '' GROUP BY month, system_id, feature, person"""
_TASK_KINDS = {"system_id": "uuid", "feature": "text", "named": "bigint", "unnamed": "bigint"}
_TASKS = f"""
SELECT system_id, first_feature, sum(named), sum(unnamed) FROM (
  SELECT system_id, argMin(feature, (at, feature)) AS first_feature, 1 AS named, 0 AS unnamed
  FROM (
    SELECT system_id, toString(feature) AS feature, task, at {_MINE} AND outcome = 'success'
      AND task <> '' AND at >= {instant("look_back")} AND at < {instant("until")}
  ) AS succeeded GROUP BY system_id, task HAVING min(at) >= {instant("start")}
  UNION ALL
  SELECT system_id, toString(feature), 0, count() {_IN_SPAN} AND outcome = 'success' AND task = ''
  GROUP BY system_id, feature
) GROUP BY system_id, first_feature"""  # noqa: S608 - names of ours
_PARTITIONS = f"SELECT DISTINCT _partition_id FROM {TABLE} SETTINGS final = 0"  # noqa: S608 - ours
_RECEIVED = f"""
SELECT toUnixTimestamp64Micro(received_at) AS micros, count() {_MINE}
  AND received_at >= {instant("since")} AND received_at < {instant("until")}
GROUP BY micros SETTINGS final = 0"""
_EVERYTHING = f"SELECT {', '.join(COLUMNS)} {_MINE} ORDER BY at, event_id"
_MONTHS_OF_TENANT = (
    f"SELECT DISTINCT toYYYYMM(at) AS month {_MINE} ORDER BY month SETTINGS final = 0"
)
_DELETE_MONTH = f"""
ALTER TABLE {TABLE} DELETE IN PARTITION {{month:UInt32}} WHERE tenant_id = {{tenant:UUID}}
SETTINGS mutations_sync = 2"""
_FORGET = f"""
DELETE {_MINE} AND toUnixTimestamp64Micro(received_at) IN {{instants:Array(Int64)}}"""
_LOOK_UP = f"""
SELECT at, system_id, event_id, {", ".join(f"nullIf({name}, '')" for name in _NAMES)},
  nullIf(request, ''), nullIf(task, ''), nullIf(person, ''), {", ".join(_TOKENS)}
{_MINE} AND at >= {instant("first")} AND at <= {instant("last")}
  AND event_id IN {{ids:Array(String)}} AND received_at < {instant("forgotten")}"""
_ANY_LEFT = text("SELECT EXISTS (SELECT FROM usage_events WHERE tenant_id = :tenant)")
_LEFT = text(
    "SELECT count(*) FROM usage_events WHERE tenant_id = :tenant AND at >= :start AND at < :until"
)

# ---- the statement that stores, in PostgreSQL: events that ClickHouse has are bound to it

_OLD_KINDS = {"at": "timestamptz", "system_id": "uuid", "event_id": "text"}
_OLD_KINDS |= dict.fromkeys((*_NAMES, "request", "task", "person"), "text")
_OLD_KINDS |= dict.fromkeys(_TOKENS, "int")
_ARRAYS = ", ".join(f"CAST(:old_{name} AS {kind}[])" for name, kind in _OLD_KINDS.items())
_KNOWN = f"""{storing.KNOWN} UNION
  SELECT n, e.digest = given.digest FROM given JOIN (
    SELECT at, event_id, {storing.digest()} AS digest
    FROM unnest({_ARRAYS}) AS stored_before ({", ".join(_OLD_KINDS)})
  ) AS e ON e.at = given.at AND e.event_id = given.event_id
  WHERE NOT EXISTS (
    SELECT FROM usage_event_keys
    WHERE tenant_id = :tenant AND event_id = given.event_id OFFSET 0)"""  # noqa: S608 - names of ours
_WRITE = text(storing.statement(storing.FROM_ARRAYS, storing.RESULT, known=_KNOWN, store="SELECT"))
_NEW_COLUMNS = ", ".join(storing.STORED)
_NEW_TABLE = f"""
CREATE TEMPORARY TABLE IF NOT EXISTS usage_file_new ON COMMIT DROP AS
SELECT CAST(NULL AS uuid) AS tenant_id, CAST(NULL AS timestamptz) AS received_at, {_NEW_COLUMNS}
FROM usage_file WITH NO DATA"""  # noqa: S608 - names of ours
_CREATE_NEW = text(_NEW_TABLE)
_STORE_NEW = f"""
  INSERT INTO usage_file_new (tenant_id, received_at, {_NEW_COLUMNS})
  SELECT :tenant, :now, {_NEW_COLUMNS} FROM new"""  # noqa: S608 - names of ours
_WRITE_PART = text(
    storing.statement(file_storing.GIVEN, file_storing.RESULT, known=_KNOWN, store=_STORE_NEW)
)
_WRITE_NEW_PART = text(storing.statement_for_new(file_storing.ALL_GIVEN, store=_STORE_NEW))
_OLD = text("SELECT at, event_id FROM usage_file WHERE at < :long_ago")
