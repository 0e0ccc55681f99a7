"""The approval of the operators' restart of everything, for every tenant."""

from collections.abc import Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.tenants import queries as directory
from governance.kernel.data.db import find
from governance.kernel.formatting import moment, plural
from governance.operations.switches import (
    permissions,
    platform_actions,
    queries,
)
from governance.operations.switches.active_stops import planes
from governance.operations.switches.approval_words import person_name, stopped_for
from governance.operations.switches.models import PlatformStop
from governance.operations.switches.restart_approval import RESTART_LIFETIME


def _describe_platform(approval: Approval) -> Description:
    found = find(PlatformStop, approval.target_id, what="stop")
    tenants = sum(each.kind != "operator" for each in directory.living_tenants())
    if found.restarted_at is not None:
        outcome = ApprovalEffect(
            "ok", "Every tenant was restarted.", f"On {moment(found.restarted_at)}."
        )
    else:
        outcome = ApprovalEffect(
            "ok",
            f"The AI systems of {plural(tenants, 'tenant')} answer again.",
            "The tenants' own stops stay.",
        )
    facts = [
        ("Scope", "everything, for every tenant"),
        ("Stopped since", moment(found.created_at)),
        ("Stopped by", person_name(found.stopped_by)),
        ("Reason", found.reason),
        ("Planes", planes(generate=found.generate, serve=found.serve)),
    ]
    return Description(
        title=approval.summary,
        heading="What restarts",
        facts=facts,
        effects=[outcome],
        back=("Switch", "operator_switches.switch", {}),
        figures=[
            (stopped_for(found.created_at, found.restarted_at), "stopped"),
            (str(tenants), "tenants answer again"),
        ],
        covers="Covers what is stopped, since when and on which planes, and the request itself.",
        verb="Approve and restart every tenant",
        consequence=(
            "The products of every tenant answer again within a second. One operator can stop"
            " them again immediately."
        ),
    )


def _platform(approval: Approval) -> Mapping[str, Any]:
    found = find(PlatformStop, approval.target_id, what="stop")
    return {
        "generate": found.generate,
        "serve": found.serve,
        "reason": found.reason,
        "restarted": bool(found.restarted_at),
        "since": found.created_at.timestamp(),
    }


def _carry_out_platform(approval: Approval) -> None:
    platform_actions.carry_out_platform_restart(
        reason=approval.reason, requested_by=approval.requested_by
    )


PLATFORM_RESTART = ApprovalKind(
    name=queries.PLATFORM_RESTART,
    label="Restart of every tenant",
    permission=permissions.PLATFORM,
    describe=_describe_platform,
    fingerprint=_platform,
    apply=_carry_out_platform,
    entry=lambda approval, _step: LogEntry(find(PlatformStop, approval.target_id)),
    lifetime=RESTART_LIFETIME,
    lock=platform_actions.LOCK,
    entries={
        "requested": platform_actions.PLATFORM_ASKED,
        "approved": None,
        "rejected": platform_actions.PLATFORM_KEPT,
        "withdrawn": platform_actions.PLATFORM_KEPT,
        "voided": platform_actions.PLATFORM_KEPT,
        "expired": platform_actions.PLATFORM_KEPT,
    },
)
