"""The approval of a deletion, by a second operator."""

from collections.abc import Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.kernel.formatting import plural
from governance.publishing.tenant_offboarding import actions, permissions, queries


def _describe(approval: Approval) -> Description:
    row = queries.offboarding(approval.target_id)
    days = plural(row.waiting_days, "day")
    return Description(
        title=approval.summary,
        heading=f"{row.name} is deleted with all of its data",
        facts=[
            ("Tenant", row.name),
            ("Slug", row.slug),
            (
                "Export",
                "None" if row.export == "none" else row.export.replace("archive", "SHA-256"),
            ),
            ("Waiting period", days),
        ],
        effects=(
            ApprovalEffect("due", f"Nothing happens for {days}.", "An operator can cancel it."),
            ApprovalEffect(
                "stop", "Its keys are destroyed.", "Data encrypted with them can't be recovered."
            ),
            ApprovalEffect("stop", "Its files and rows are deleted.", "A certificate says so."),
        ),
        covers="Covers the tenant, its present state, the waiting time, and the request itself.",
        back=(row.name, "operator_desk.tenant", {"slug": row.slug}),
        verb="Approve deletion",
        is_final=True,
        consequence=f"The deletion starts in {days}. Its admins are notified by email.",
    )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    row = queries.offboarding(approval.target_id)
    return {
        "tenant": str(row.customer_id),
        "status": actions.tenant_of(row).status,
        "state": row.state,
        "waiting_days": row.waiting_days,
        "export": row.export,
    }


def _entry(approval: Approval, _step: str) -> LogEntry:
    row = queries.offboarding(approval.target_id)
    facts = {
        "tenant": row.slug,
        "export": row.export,
        "waiting_days": row.waiting_days,
        "how": approval.state,
    }
    return LogEntry(row, facts=facts)


OFFBOARDING = ApprovalKind(
    name=actions.KIND,
    label="Tenant deletion",
    permission=permissions.OFFBOARD,
    describe=_describe,
    fingerprint=_fingerprint,
    blocked=lambda approval: actions.why_blocked(queries.offboarding(approval.target_id)),
    apply=actions.begin_waiting,
    on_reject=actions.close_request,
    confirmation=lambda approval: queries.offboarding(approval.target_id).name,
    own="You requested this, so another operator decides.",
    entry=_entry,
    entries={
        "requested": actions.REQUESTED,
        "approved": None,
        "rejected": actions.CLOSED,
        "withdrawn": actions.CLOSED,
        "expired": actions.CLOSED,
    },
)
KINDS = (OFFBOARDING,)
