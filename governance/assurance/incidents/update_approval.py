"""The approval of a customer update: another person approves exactly the text that is sent."""

from collections.abc import Mapping
from typing import Any

from governance.assurance.incidents import (
    drafts,
    payloads,
    permissions,
    queries,
    update_actions,
    update_queries,
)
from governance.assurance.incidents.models import CustomerUpdate, Incident
from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.foundation.webhooks import queries as webhooks
from governance.kernel.data.db import find
from governance.kernel.formatting import plural


def _found(approval: Approval, *, lock: bool = False) -> tuple[Incident, CustomerUpdate]:
    update = find(CustomerUpdate, approval.target_id, what="customer update", lock=lock)
    return find(Incident, update.incident_id, what="incident", lock=lock), update


def _describe(approval: Approval) -> Description:
    incident, update = _found(approval)
    unknown = drafts.unknown_lines(update.body)
    contacts = len(update_queries.contacts())
    effects = [
        ApprovalEffect("ok", f"It goes to {plural(contacts, 'contact')} by email.", "At once."),
        ApprovalEffect("ok", "It is shown on the status page.", "It stays there."),
    ]
    if unknown:
        effects.append(
            ApprovalEffect(
                "due", f"{plural(len(unknown), 'fact')} marked as unknown.", " ".join(unknown)
            )
        )
    return Description(
        title=approval.summary,
        heading="What customers are told",
        template="assurance/incidents/approval.html",
        details={
            "update": update,
            "paragraphs": drafts.paragraphs(update.body),
            "incident": incident,
        },
        effects=effects,
        covers="Covers the title and the text of the update.",
        back=(incident.ref, "incidents.incident", {"incident_id": incident.id}),
        verb="Approve and send",
        is_final=True,
        consequence="The update is sent at once. A later update can correct it.",
    )


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    _incident, update = _found(approval)
    return {"number": update.number, "title": update.title, "body": update.body}


def _apply(approval: Approval) -> None:
    incident, update = _found(approval, lock=True)
    update_actions.send(incident, update)


def _on_reject(approval: Approval) -> None:
    _incident, update = _found(approval, lock=True)
    if approval.state != "voided":  # An edit sets the state itself.
        update_actions.return_to_draft(
            update, approval.note if approval.state == "rejected" else ""
        )


def _entry(approval: Approval, _step: str) -> LogEntry:
    incident, update = _found(approval)
    return LogEntry(update, facts={"ref": incident.ref, "number": update.number})


CUSTOMER_UPDATE = ApprovalKind(
    name=update_queries.APPROVAL,
    label="Customer update",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    apply=_apply,
    on_reject=_on_reject,
    entry=_entry,
    step_up=False,  # Minutes count in an incident, and a second person reads it.
    own="You drafted or edited this update, so another person must approve it.",
    entries={
        "requested": update_actions.REQUESTED,
        "approved": update_actions.APPROVED,
        "rejected": update_actions.RETURNED,
    },
)


def endpoints() -> int:
    """Count the webhook endpoints that get `incident.updated`."""
    return len(webhooks.subscribers(payloads.UPDATED))


__all__ = ["CUSTOMER_UPDATE", "endpoints", "queries"]
