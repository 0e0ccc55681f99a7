"""What of privacy another person approves."""

from collections.abc import Mapping
from typing import Any

from governance.foundation.approvals.kinds import ApprovalKind, Description, LogEntry
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.foundation.privacy import actions, permissions, queries
from governance.kernel import clock

PRIVACY = ("Privacy", "privacy.index", dict[str, Any]())


# ---- who a pseudonym is


def _describe_unmasking(approval: Approval) -> Description:
    asked = queries.unmasking(approval.target_id)
    who = people.names([asked.asked_by]).get(asked.asked_by, "the requester")
    return Description(
        title=approval.summary, heading=f"One name is shown to {who}", sub="Nothing else changes, and nobody else sees it.",
        facts=[("Pseudonym", asked.subject), ("Shown to", who), ("For", "1 hour from the approval")],
        covers="Covers the pseudonym, who sees the name, and the request itself.", back=PRIVACY, verb="Approve and show the name",
        consequence=f"{who} sees the name in the audit log for an hour. The first use is recorded.",
    )  # fmt: skip


def _unmasking(approval: Approval) -> Mapping[str, Any]:
    asked = queries.unmasking(approval.target_id)
    return {"subject": asked.subject, "shown_to": asked.asked_by, "until": asked.until}


def _unmasking_entry(approval: Approval, _step: str) -> LogEntry:
    asked = queries.unmasking(approval.target_id)
    return LogEntry(asked, actions.subject_of(asked), {"subject": asked.subject})


def _show_name(approval: Approval) -> None:
    actions.show_name(queries.unmasking(approval.target_id, lock=True), at=approval.closed_at or clock.now())


UNMASKING = ApprovalKind(
    name=queries.UNMASKING, label="Unmasking", permission=permissions.UNMASK, describe=_describe_unmasking, fingerprint=_unmasking,
    apply=_show_name, entry=_unmasking_entry,
    entries={
        "requested": actions.UNMASK_ASKED, "approved": None, "rejected": actions.UNMASK_REFUSED,
        "withdrawn": actions.UNMASK_WITHDRAWN,
    },
)  # fmt: skip

KINDS = (UNMASKING,)
