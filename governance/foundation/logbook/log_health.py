"""The health of the log, at the foot of every page.

It shows whether the log is intact, how old its checkpoint is, and whether the external witnesses
agree.

It costs one statement, or none when it was read less than three seconds ago. The same statement
returns the revision that this transaction reads (the number of entries), so what pages cache of a
tenant's facts needs no second one:

    recall(key, make)    kernel/data/tenant_cache.py under that revision: every change of a fact writes
                         an entry in its own transaction
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, select, true

from governance.foundation.anchors.models import Anchor
from governance.foundation.audit.models import LogHead
from governance.foundation.audit.queries import MAX_COUNTED, waiting_here
from governance.foundation.audit.sequencer import ALARM_SECONDS
from governance.kernel import clock, current
from governance.kernel.data import tenant_cache
from governance.kernel.data.compiled_select import CompiledSelect
from governance.kernel.data.tenant_revision import NAMES, OVER_ALL, TenantRevision
from governance.kernel.formatting import ago, thousands

MAX_AGE = timedelta(seconds=3)
MAX_CACHED_TENANTS = 10_000


@dataclass(frozen=True, slots=True)
class LogHealth:
    """The state of a log.

    `number` and `signed_at` are those of its last checkpoint; `trouble` says why signing has
    stopped, empty while it hasn't. `oldest_pending` is the age of the oldest pending entry in
    seconds. Of `anchors` external witnesses, `agree` confirm and `conflict` contradict the log.
    """

    number: int
    signed_at: datetime | None
    trouble: str
    oldest_pending: float
    anchors: int
    agree: int
    conflict: int

    @property
    def ok(self) -> bool:
        return not self.trouble and not self.conflict and self.oldest_pending <= ALARM_SECONDS

    @property
    def title(self) -> str:
        if self.trouble:
            return "Audit log rolled back"
        if self.conflict:
            return "Audit log contradicted"
        return "Audit log intact" if self.ok else "Audit log is behind"

    @property
    def lines(self) -> list[str]:
        signed = (
            f"Checkpoint {thousands(self.number)}, signed {ago(self.signed_at)}"
            if self.signed_at
            else "No checkpoint yet"
        )
        return [signed, *self._details()]

    def _details(self) -> list[str]:
        if self.trouble:
            return ["Signing is stopped until an operator investigates"]
        if self.oldest_pending > ALARM_SECONDS:
            return [f"An entry has been pending for {self.oldest_pending:.0f} s"]
        if not self.anchors:
            return []
        if self.agree < self.anchors:
            return [f"{self.agree} of {self.anchors} external witnesses agree"]
        return [
            (
                "1 external witness agrees"
                if self.anchors == 1
                else f"{self.anchors} external witnesses agree"
            )
        ]


_cached: dict[UUID, tuple[datetime, LogHealth | None]] = {}


def log_health() -> LogHealth | None:
    """Return the health of the acting tenant's log; None before its first entry was sequenced."""
    tenant_id, now = current.actor().tenant_id, clock.now()
    cached = _cached.get(tenant_id)
    if cached is None or not timedelta() <= now - cached[0] < MAX_AGE:
        if len(_cached) > MAX_CACHED_TENANTS:
            _cached.clear()
        cached = _cached[tenant_id] = (now, _read()[1])
    return cached[1]


def recall[T](key: Hashable, make: Callable[[], T]) -> T:
    """Return what `make` computes from the acting tenant's facts, cached while it is right."""
    return tenant_cache.recall(key, make, under=revision)


def revision() -> tenant_cache.Number | None:
    """Return the revision of the tenant's facts that this transaction reads.

    It is (entries of the log, changed names of people, changes of what applies to all tenants).

    None while more entries are pending than a page can afford to count: then nothing is cached.
    """
    number, health = _read()
    _cached[current.actor().tenant_id] = (clock.now(), health)
    return number


def _of_all_tenants(what: UUID) -> ColumnElement[int]:
    number = select(TenantRevision.number).where(TenantRevision.id == what).scalar_subquery()
    return func.coalesce(number, 0)


def _statement() -> Select[Any]:
    pending = waiting_here()
    live = select(func.count()).select_from(Anchor).where(Anchor.removed_at.is_(None))
    return (
        select(
            func.coalesce(LogHead.size, 0),
            pending.c.count,
            _of_all_tenants(NAMES),
            _of_all_tenants(OVER_ALL),
            LogHead.number,
            LogHead.signed_at,
            LogHead.trouble,
            pending.c.seconds,
            live.scalar_subquery(),
            live.where(Anchor.state == "agrees").scalar_subquery(),
            live.where(Anchor.state == "conflict").scalar_subquery(),
        )
        .select_from(pending)
        .outerjoin(LogHead, true())
    )


_STATEMENT: CompiledSelect[Any] = CompiledSelect(_statement)


def _read() -> tuple[tenant_cache.Number | None, LogHealth | None]:
    (row,) = _STATEMENT.rows()
    size, waiting, names, over_all, number, signed_at, trouble, oldest, anchors, agree, conflict = (
        row
    )
    revision = (
        (int(size) + int(waiting), int(names), int(over_all)) if waiting <= MAX_COUNTED else None
    )
    if number is None:
        return revision, None
    return revision, LogHealth(
        number,
        signed_at,
        (trouble or {}).get("sentence", ""),
        float(oldest or 0),
        anchors,
        agree,
        conflict,
    )
