"""The freeze calendar: periods in which no rollout advances."""

from datetime import datetime, timedelta
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.rollouts import permissions
from governance.operations.rollouts.actions import LOCK
from governance.operations.rollouts.models import RolloutFreeze

FREEZE_ADDED = action(
    "rollout.freeze.added",
    "added a freeze of rollouts",
    target="RolloutFreeze",
    activity="create",
    severity="low",
    fields="name starts_at ends_at",
)
FREEZE_CANCELLED = action(
    "rollout.freeze.cancelled",
    "cancelled a freeze of rollouts",
    target="RolloutFreeze",
    activity="update",
    severity="medium",
    fields="name starts_at ends_at",
)
MAX_NAME_LENGTH = 120
MAX_LENGTH = timedelta(days=92)
MAX_AHEAD = timedelta(days=732)


def add_freeze(
    *, name: str, starts_at: datetime, ends_at: datetime, freeze_id: UUID | None = None
) -> RolloutFreeze:
    """Add a freeze. It can't begin in the past, so that no past clock changes."""
    require(permissions.FREEZE)
    lock_tenant(LOCK)
    now = clock.now()
    if not 0 < len(name.strip()) <= MAX_NAME_LENGTH:
        raise Invalid(f"Enter a name of up to {MAX_NAME_LENGTH} characters.", field="name")
    if starts_at < now - timedelta(minutes=5):
        raise Invalid("A freeze can't begin in the past.", field="starts_at")
    if ends_at <= starts_at:
        raise Invalid("The freeze ends before it begins.", field="ends_at")
    if ends_at - starts_at > MAX_LENGTH or starts_at > now + MAX_AHEAD:
        raise Invalid(
            f"A freeze lasts {MAX_LENGTH.days} days at most and begins within two years.",
            field="ends_at",
        )
    row = RolloutFreeze(
        id=freeze_id or uuid7(),
        name=name.strip(),
        starts_at=max(starts_at, now),
        ends_at=ends_at,
        added_by=current.person_id(),
    )
    session().add(row)
    session().flush()
    record(FREEZE_ADDED, row, name=row.name, starts_at=row.starts_at, ends_at=row.ends_at)
    return row


def cancel_freeze(row: RolloutFreeze, *, reason: str) -> None:
    """End a freeze now, or cancel a future one."""
    require(permissions.FREEZE)
    lock_tenant(LOCK)
    session().refresh(row, with_for_update=True)
    if row.end <= clock.now():
        raise Stale("This freeze has ended already.")
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    row.cancelled_at = clock.now()
    session().flush()
    record(
        FREEZE_CANCELLED,
        row,
        reason=reason.strip(),
        name=row.name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
    )
