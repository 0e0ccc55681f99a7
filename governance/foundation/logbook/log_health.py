"""The foot of the rail, on every page: whether the log is intact, how old its checkpoint is, and
who agrees outside.

One statement, and none while what was read less than three seconds ago is still at hand. The same
statement tells under which number of entries this transaction reads, so what pages remember of a
tenant's facts costs no second one:

    recall(key, make)    kernel/tenant_cache.py, under that number: every change of a fact writes an
                         entry in its own transaction
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select, true

from governance.foundation.anchors.models import Anchor
from governance.foundation.audit.models import LogHead
from governance.foundation.audit.queries import COUNTED, waiting_here
from governance.foundation.audit.sequencer import ALARM_SECONDS
from governance.kernel import clock, current, tenant_cache
from governance.kernel.db import session
from governance.kernel.formatting import ago, thousands
from governance.kernel.tenant_revision import NAMES, Mark

FRESH = timedelta(seconds=3)
MOST = 10_000  # tenants that a process remembers


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of a log: its last checkpoint, the oldest entry that waits (seconds), and how
    the anchors stand.
    """

    number: int
    signed_at: datetime | None
    trouble: str
    waits: float
    anchors: int
    agree: int
    conflict: int

    @property
    def ok(self) -> bool:
        return not self.trouble and not self.conflict and self.waits <= ALARM_SECONDS

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
        return [signed, *self._said()]

    def _said(self) -> list[str]:
        if self.trouble:
            return ["Nothing is signed until an operator has looked"]
        if self.waits > ALARM_SECONDS:
            return [f"An entry has waited for {self.waits:.0f} s"]
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


_known: dict[UUID, tuple[datetime, Pulse | None]] = {}


def pulse() -> Pulse | None:
    """Of the acting tenant; None before its log was opened."""
    tenant_id, now = current.actor().tenant_id, clock.now()
    held = _known.get(tenant_id)
    if held is None or not timedelta() <= now - held[0] < FRESH:
        if len(_known) > MOST:
            _known.clear()
        held = _known[tenant_id] = (now, read())
    return held[1]


def read() -> Pulse | None:
    """As it stands now, in one statement."""
    return _read()[1]


def recall[T](key: Hashable, make: Callable[[], T]) -> T:
    """What `make` says of the present tenant's facts, or the same as it came out for an earlier
    reader.
    """
    return tenant_cache.recall(key, make, under=_number)


def _number() -> tenant_cache.Number | None:
    """(entries of the log, names of people that changed anywhere) as this transaction found them;
    the pulse is fresh with it.

    None while more entries wait than can be counted at the price of a page: then nothing is
    remembered.
    """
    number, seen = _read()
    _known[current.actor().tenant_id] = (clock.now(), seen)
    return number


def _read() -> tuple[tenant_cache.Number | None, Pulse | None]:
    waits = waiting_here()
    live = select(func.count()).select_from(Anchor).where(Anchor.removed_at.is_(None))
    query = (
        select(
            func.coalesce(LogHead.size, 0),
            waits.c.count,
            func.coalesce(select(Mark.number).where(Mark.id == NAMES).scalar_subquery(), 0),
            LogHead.number,
            LogHead.signed_at,
            LogHead.trouble,
            waits.c.seconds,
            live.scalar_subquery(),
            live.where(Anchor.state == "agrees").scalar_subquery(),
            live.where(Anchor.state == "conflict").scalar_subquery(),
        )
        .select_from(waits)
        .outerjoin(LogHead, true())
    )
    size, waiting, names, number, signed_at, trouble, waited, anchors, agree, conflict = (
        session().execute(query).one()
    )
    told = (int(size) + int(waiting), int(names)) if waiting <= COUNTED else None
    if number is None:
        return told, None
    return told, Pulse(
        number,
        signed_at,
        (trouble or {}).get("sentence", ""),
        float(waited or 0),
        anchors,
        agree,
        conflict,
    )
