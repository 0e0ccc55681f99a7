"""The foot of the rail, on every page: whether the log is intact, how old its checkpoint is, and who agrees outside.

One statement, and none while what was read less than three seconds ago is still at hand.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select

from governance.anchors.models import Anchor
from governance.audit.models import LogHead, PendingEntry
from governance.audit.sequencer import ALARM_SECONDS
from governance.kernel import clock, current
from governance.kernel.db import session
from governance.kernel.words import ago, thousands

FRESH = timedelta(seconds=3)
MOST = 10_000  # tenants that a process remembers


@dataclass(frozen=True, slots=True)
class Pulse:
    """What is known of a log: its last checkpoint, the oldest entry that waits (seconds), and how the anchors stand."""

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
        signed = f"Checkpoint {thousands(self.number)}, signed {ago(self.signed_at)}" if self.signed_at else "No checkpoint yet"
        return [signed, *self._said()]

    def _said(self) -> list[str]:
        if self.trouble:
            return ["Nothing is signed until an operator has looked"]
        if self.waits > ALARM_SECONDS:
            return [f"An entry has waited for {self.waits:.0f} s"]
        if not self.anchors:
            return []
        if self.agree < self.anchors:
            return [f"{self.agree} of {self.anchors} outside anchors agree"]
        return ["1 outside anchor agrees" if self.anchors == 1 else f"{self.anchors} outside anchors agree"]


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
    live = select(func.count()).select_from(Anchor).where(Anchor.removed_at.is_(None))
    waits = select(func.extract("epoch", func.clock_timestamp() - func.min(PendingEntry.created_at))).scalar_subquery()
    query = select(
        LogHead.number, LogHead.signed_at, LogHead.trouble, waits, live.scalar_subquery(),
        live.where(Anchor.state == "agrees").scalar_subquery(), live.where(Anchor.state == "conflict").scalar_subquery(),
    )  # fmt: skip
    row = session().execute(query).one_or_none()
    if row is None:
        return None
    number, signed_at, trouble, waited, anchors, agree, conflict = row
    return Pulse(number, signed_at, (trouble or {}).get("sentence", ""), float(waited or 0), anchors, agree, conflict)
