"""The approval of a change for customers: another person reads exactly what they will read."""

from collections.abc import Mapping
from typing import Any

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.publishing.change_log import actions, permissions, queries
from governance.publishing.change_log.drafts import paragraphs


def _describe(approval: Approval) -> Description:
    found = queries.change(approval.target_id)
    log = queries.change_log()
    where = (
        ApprovalEffect("ok", "It is on the public page and in its feed.", "At once.")
        if log and log.is_public
        else ApprovalEffect(
            "due", "The public page is switched off.", "Nobody reads it until it is on."
        )
    )
    system = queries.system_of(found)
    return Description(
        title=approval.summary,
        heading="What customers will read",
        template="publishing/change_log/approval.html",
        details={
            "change": found,
            "system": system.name if system else "",
            "body": paragraphs(found.body),
            "effect": paragraphs(found.effect),
        },
        effects=[where],
        covers="Covers the title, the kind, the AI system and both texts.",
        back=(found.ref, "change_log.change", {"customer_change_id": found.id}),
        verb="Approve and publish",
        is_final=True,
        consequence="It is published at once. It can be withdrawn, and customers see that it was.",
    )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    found = queries.change(approval.target_id)
    return {
        "kind": found.kind,
        "system": str(found.system_id),
        "title": found.title,
        "body": found.body,
        "effect": found.effect,
    }


def _apply(approval: Approval) -> None:
    actions.publish(queries.change(approval.target_id, lock=True))


def _on_reject(approval: Approval) -> None:
    if approval.state != "voided":  # An edit sets the state itself.
        actions.return_to_draft(
            queries.change(approval.target_id, lock=True),
            approval.note if approval.state == "rejected" else "",
        )


def _blocked(_approval: Approval) -> str | None:
    return None if queries.change_log() else "The change log isn't started yet."


def _entry(approval: Approval, _step: str) -> LogEntry:
    found = queries.change(approval.target_id)
    system = queries.system_of(found)
    return LogEntry(
        found,
        facts={"ref": found.ref, "kind": found.kind, "system": system.key if system else ""},
    )


CUSTOMER_CHANGE = ApprovalKind(
    name=queries.APPROVAL,
    label="Change for customers",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=_apply,
    on_reject=_on_reject,
    blocked=_blocked,
    entry=_entry,
    lock=actions.LOCK,
    # No step-up: a change can be withdrawn, and nothing confidential is published unread.
    step_up=False,
    own="You wrote or edited this change, so another person must approve it.",
    entries={
        "requested": actions.REQUESTED,
        "approved": actions.APPROVED,
        "rejected": actions.RETURNED,
        "withdrawn": actions.CLOSED,
        "voided": actions.CLOSED,
        "expired": actions.CLOSED,
    },
)
