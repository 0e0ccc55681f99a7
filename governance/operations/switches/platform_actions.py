"""Stop and restart everything for every tenant, by operators.

stop_platform                  by one operator; voids a request to restart
request_platform_restart       by the first operator; another approves it
carry_out_platform_restart     after the approval of a restart
"""

import hashlib
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid, Stale
from governance.operations.switches import queries
from governance.operations.switches.actions import NotStopped, check_reason
from governance.operations.switches.models import PlatformStop

PLATFORM_STOPPED = action(
    "switch.platform.stopped",
    "stopped every AI system of every tenant",
    target="PlatformStop",
    activity="create",
    severity="high",
    fields="generate serve",
    shape="stop",
)
PLATFORM_ASKED = action(
    "switch.platform.restart.requested",
    "requested a restart of every AI system of every tenant",
    target="PlatformStop",
    activity="update",
    severity="medium",
)
PLATFORM_KEPT = action(
    "switch.platform.restart.rejected",
    "rejected the restart of every AI system of every tenant",
    target="PlatformStop",
    activity="update",
    severity="medium",
)
PLATFORM_RESTARTED = action(
    "switch.platform.restarted",
    "restarted every AI system of every tenant",
    target="PlatformStop",
    activity="update",
    severity="high",
    fields="stopped_at",
    persons="requested_by",
)

LOCK = "platform switch"


def stop_platform(*, generate: bool = True, serve: bool = True, reason: str) -> PlatformStop:
    """Stop everything for every tenant, or widen the active stop. Voids a request to restart."""
    lock_tenant(LOCK)
    if not generate and not serve:
        raise Invalid("Choose to stop generating, serving, or both.", field="generate")
    active = queries.platform_stop()
    if active is not None:
        approvals.void(
            queries.PLATFORM_RESTART,
            active.id,
            reason=f"It was stopped again: {reason.strip()}".rstrip(": "),
        )
        if (active.generate or not generate) and (active.serve or not serve):
            return active
    reason = check_reason(reason)
    if active is None:
        active = PlatformStop(
            generate=generate,
            serve=serve,
            reason=reason,
            stopped_by=current.person_id(),
            created_at=clock.now(),
        )
        session().add(active)
    else:
        active.generate, active.serve = active.generate or generate, active.serve or serve
    record(PLATFORM_STOPPED, active, reason=reason, generate=active.generate, serve=active.serve)
    tenant_revision.advance_all()
    return active


def platform_seen(active: PlatformStop) -> str:
    """Return the fingerprint in the form of a restart, which changes when more is stopped."""
    return hashlib.sha256(f"{active.id} {active.generate} {active.serve}".encode()).hexdigest()[:16]


def request_platform_restart(*, seen: str, reason: str) -> Approval:
    """Request a restart of every tenant, or return the open request."""
    active = _check_active()
    if seen != platform_seen(active):
        raise Stale(
            "The stop has changed since you opened this page. Review it, then decide again."
        )
    return approvals.request(
        queries.PLATFORM_RESTART,
        active.id,
        summary="restart everything, for every tenant",
        reason=check_reason(reason),
    )


def carry_out_platform_restart(*, reason: str, requested_by: UUID | None) -> None:
    """Restart every tenant. The acting operator is the approver."""
    active = _check_active()
    active.restarted_by, active.restarted_at = current.person_id(), clock.now()
    active.restart_requested_by, active.restart_reason = requested_by, reason
    record(
        PLATFORM_RESTARTED,
        active,
        reason=reason,
        stopped_at=active.created_at,
        requested_by=requested_by,
    )
    tenant_revision.advance_all()


def _check_active() -> PlatformStop:
    lock_tenant(LOCK)
    active = queries.platform_stop()
    if active is None:
        raise NotStopped("It has already been restarted.")
    session().refresh(active)
    return active
