"""Record each step of an approval: by its kind's action, or as the approval's own."""

from typing import Any

from governance.foundation.approvals import kinds
from governance.foundation.approvals.kinds import ApprovalKind, LogEntry
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import Action, action
from governance.kernel.errors import NotFound

FIELDS = "kind number fingerprint"
STEPS = {
    "requested": action(
        "approval.requested",
        "requested approval",
        target="Approval",
        activity="create",
        severity="low",
        fields=FIELDS,
    ),
    "given": action(
        "approval.partially_approved",
        "approved a request that needs more approvals",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
    "approved": action(
        "approval.approved",
        "approved a request",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
    "rejected": action(
        "approval.rejected",
        "rejected a request",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
    "withdrawn": action(
        "approval.withdrawn",
        "withdrew an approval request",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
    "voided": action(
        "approval.voided",
        "voided an approval request by changing its content",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
    "expired": action(
        "approval.expired",
        "closed an expired approval request",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
    "blocked": action(
        "approval.blocked",
        "was blocked from approving a request",
        target="Approval",
        activity="update",
        severity="low",
        fields=FIELDS,
    ),
}


def record_step(
    approval: Approval, step: str, *, reason: str = "", fingerprint: str = "", outcome: str = "done"
) -> None:
    """Record a step by the kind's own action on its own row, if the kind has one for it.

    A reason is never lost: where the kind's `apply` records an approval, the approver's reason gets
    an entry of its own.
    """
    kind = kinds.named(approval.kind)
    facts: dict[str, Any] = {
        "kind": approval.kind,
        "number": approval.number,
        "fingerprint": fingerprint or None,
    }
    entry = _entry(kind, approval, step) if kind is not None else None
    about = entry.about if entry else None
    if kind is None or entry is None or step not in kind.entries:
        record(STEPS[step], approval, about=about, reason=reason or None, outcome=outcome, **facts)
    elif (step_action := kind.entries[step]) is not None:
        declared = {
            name: value
            for name, value in {**facts, **entry.facts}.items()
            if _is_declared(step_action, name)
        }
        record(
            step_action,
            entry.target,
            about=about,
            reason=reason or None,
            outcome=outcome,
            **declared,
        )
    elif step == "approved" and reason:
        record(STEPS[step], approval, about=about, reason=reason, **facts)


def _entry(kind: ApprovalKind, approval: Approval, step: str) -> LogEntry | None:
    try:
        return kind.entry(approval, step)
    except NotFound:  # The target is gone.
        return None


def _is_declared(step_action: Action, name: str) -> bool:
    return name in step_action.fields or name in step_action.personal
