"""Rows that policies and switches leave behind: versions, waivers, stops and drills."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.kernel.data import tenant_cache
from governance.kernel.data.db import session
from governance.operations.policies.models import PlatformPolicy, PolicyVersion, Waiver
from governance.operations.switches.models import Drill, Stop
from tests import make


def add_finished_drill(system_id: UUID, at: datetime, *, passed: bool = True, **more: Any) -> Drill:
    """Add a drill that ended at that time."""
    told: dict[str, Any] = {
        "feature_id": None,
        "state": "passed" if passed else "failed",
        "due_at": at,
        "seconds": 10,
        "repeat_days": None,
        "planned_by": make.person_id("admin"),
        "approved_by": make.person_id("compliance_officer"),
        "started_at": at - timedelta(seconds=10),
        "ended_at": at,
        "expected": 3,
        "obeyed": 3 if passed else 2,
        "slowest_ms": 800,
        "evidence_version_id": None,
        "created_at": at - timedelta(days=2),
    }
    return _add_row(Drill(system_id=system_id, **told | more))


def add_live_version(at: datetime, number: int, tier: str, **more: Any) -> PolicyVersion:
    """Add a policy version that was published at that time."""
    told: dict[str, Any] = {
        "state": "live",
        "content": {"tier": tier, "overrides": {}, "systems": {}},
        "digest": f"{number:064}",
        "base": number - 1,
        "loosens": False,
        "reason": "Claims need it.",
        "made_by": make.person_id("admin"),
        "back_to": None,
        "requested_at": None,
        "decided_by": None,
        "decided_at": None,
        "apply_at": None,
        "created_at": at - timedelta(days=1),
    }
    return _add_row(PolicyVersion(number=number, in_force_from=at, **told | more))


def add_live_waiver(
    system_id: UUID, dimension: str, value: Any, *, since: datetime, until: datetime, **more: Any
) -> Waiver:
    """Add a waiver that is live from `since` on."""
    told: dict[str, Any] = {
        "reason": "A campaign needs it.",
        "compensation": "A person reads each answer.",
        "state": "live",
        "requested_by": make.person_id("admin"),
        "live_from": since,
        "closed_by": None,
        "closed_at": None,
        "created_at": since - timedelta(days=1),
    }
    return _add_row(
        Waiver(
            system_id=system_id, dimension=dimension, value=value, expires_at=until, **told | more
        )
    )


def approved(waiver: Waiver, *roles: str) -> None:
    """Return the approvals that these roles gave to the waiver when it went live."""
    requested_by, at = str(waiver.requested_by), waiver.live_from
    request = _add_row(
        Approval(
            number=1,
            kind="waiver",
            target_id=waiver.id,
            summary="waive it",
            fingerprint="",
            reason=waiver.reason,
            requested_by=waiver.requested_by,
            requested_at=waiver.created_at,
            requesters=[requested_by],
            excluded=[requested_by],
            approvers=[],
            roles=["admin"],
            needed=2,
            step_up=True,
            is_ready=True,
            expires_at=None,
            state="approved",
            closed_at=at,
            closed_by=None,
        )
    )
    for role in roles:
        _add_row(
            ApprovalGiven(
                approval_id=request.id, person_id=make.person_id(role), fingerprint="", given_at=at
            )
        )


def add_stop(system_id: UUID | None, at: datetime, **more: Any) -> Stop:
    """Add a stop of a system, or of everything. It is active unless `restarted_at` is given."""
    told: dict[str, Any] = {
        "scope": "system" if system_id else "tenant",
        "feature_id": None,
        "generate": True,
        "serve": True,
        "reason": "It answered wrongly.",
        "version": 1,
        "stopped_by": make.person_id("contributor"),
        "drill_id": None,
        "remind_at": None,
        "restart_requested_by": None,
        "restart_reason": None,
        "restarted_by": None,
        "restarted_at": None,
        "created_at": at,
        "expected": [],
    }
    return _add_row(Stop(system_id=system_id, **told | more))


def add_platform_minimum(
    at: datetime, number: int, floor: dict[str, Any], **more: Any
) -> PlatformPolicy:
    """Add a version of the platform minimum. The caller acts as the operator."""
    told: dict[str, Any] = {
        "state": "live",
        "content": {"floor": floor, "tiers": {}, "unwaivable": []},
        "digest": f"{number:064}",
        "base": number - 1,
        "loosens": False,
        "reason": "A new law.",
        "made_by": make.person_id("operator_admin", "console"),
        "decided_by": None,
        "decided_at": None,
        "until": None,
    }
    return _add_row(PlatformPolicy(number=number, in_force_from=at, created_at=at, **told | more))


def _add_row[Row](row: Row) -> Row:
    tenant_cache.forget()  # No log entry records this row, as one would record an action.
    session().add(row)
    session().flush()
    return row
