"""Copy usage events from PostgreSQL to ClickHouse, and prove that each month is complete.

    months()      the months of UTC with events in PostgreSQL, of any tenant
    move(month)   copy a month of the acting tenant, unless it is copied already

An interrupted copy can be repeated: an event that is inserted twice counts once. PostgreSQL keeps
its events; nothing reads them any more once GOVERNANCE_USAGE_URL is set.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from governance.economics.usage import copying, partitions
from governance.economics.usage.clickhouse_client import TABLE
from governance.economics.usage.clickhouse_events import (
    COLUMNS,
    ClickhouseEvents,
    copied,
    instant,
    micros,
)
from governance.economics.usage.event_stores import store
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.data.monthly_partitions import first_instant
from governance.kernel.months import Month

_TOKENS = [f"{each}_tokens" for each in BUCKETS]
_SUMS = ", ".join(f"coalesce(sum({each}), 0)" for each in _TOKENS)


@dataclass(frozen=True, slots=True)
class MovedMonth:
    """The number of events in a tenant's month, and whether they had to be copied.

    `missing` states how the sums differ after the copy; if empty, the copy is proven complete.
    """

    events: int
    is_copied: bool
    missing: str = ""


def months() -> list[Month]:
    """Return the months with a partition, the oldest first."""
    return partitions.EVENTS.existing()


def move(month: Month) -> MovedMonth:
    """Copy a month of the acting tenant. Events received after the copy began aren't compared.

    Call it in a snapshot. Raises Unavailable.
    """
    target = store()
    if not isinstance(target, ClickhouseEvents):
        raise TypeError("ClickHouse must be in use")
    copying.allow_an_hour()
    start, until = first_instant(month), first_instant(month.plus(1))
    mine = {"tenant": current.actor().tenant_id, "start": start, "until": until}
    last, *sums = session().execute(_HERE, mine).one()
    if last is None:
        return MovedMonth(0, is_copied=False)
    if _there(target, start, until, last) == sums:
        return MovedMonth(sums[0], is_copied=False)
    for lines in copying.lines(_ROWS, mine):
        target.database.insert_lines(list(COLUMNS), lines)
    found = _there(target, start, until, last)
    missing = "" if found == sums else f"{sums} in PostgreSQL, {found} in ClickHouse"
    return MovedMonth(sums[0], is_copied=True, missing=missing)


def _there(target: ClickhouseEvents, start: datetime, until: datetime, last: datetime) -> list[int]:
    values: dict[str, Any] = {"start": micros(start), "until": micros(until)}
    after = last + timedelta(microseconds=1)
    return [int(n) for n in target.database.rows(_THERE, **values, after=micros(after))[0]]


_SUMS_HERE = f"""
SELECT max(received_at), count(*), {_SUMS} FROM usage_events
WHERE tenant_id = :tenant AND at >= :start AND at < :until"""  # noqa: S608 - names of ours
_HERE = text(_SUMS_HERE)
_THERE = f"""
SELECT count(), {_SUMS} FROM {TABLE} WHERE tenant_id = {{tenant:UUID}}
  AND at >= {instant("start")} AND at < {instant("until")} AND received_at < {instant("after")}"""  # noqa: S608 - names of ours
_ROWS = f"""
SELECT {copied()} FROM usage_events
WHERE tenant_id = %(tenant)s AND at >= %(start)s AND at < %(until)s ORDER BY at, event_id"""  # noqa: S608 - names of ours
