"""Place legal holds, set retention, and delete files permanently with two people.

    place_hold, release_hold, set_retention    rules that keep files, and for how long
    request_…, start_…, close_…, carry_out     a file is deleted after another person approves

A legal hold overrides retention and approved deletions. The version's row is always kept.
"""

from datetime import timedelta
from uuid import UUID

from governance.assurance.evidence import (
    actions,
    deletion_guard,
    deletion_queries,
    queries,
    retention,
    stored_files,
    version_actions,
)
from governance.assurance.evidence.events import EvidenceFileDeleted
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceHold,
    EvidenceRetention,
    EvidenceVersion,
)
from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.files import storage
from governance.kernel.formatting import long_day
from governance.kernel.work import jobs
from governance.kernel.work.events import publish

HOLD_PLACED = action(
    "evidence.legal_hold.placed",
    "placed a legal hold on an evidence item",
    target="Evidence",
    activity="update",
    severity="medium",
    fields="ref",
)
HOLD_RELEASED = action(
    "evidence.legal_hold.released",
    "released a legal hold on an evidence item",
    target="Evidence",
    activity="update",
    severity="medium",
    fields="ref",
)
RETENTION_CHANGED = action(
    "evidence.retention.changed",
    "changed an evidence retention period",
    target="EvidenceRetention",
    activity="update",
    severity="medium",
    fields="kind months",
)
DELETION_REQUESTED = action(
    "evidence.deletion.requested",
    "requested the permanent deletion of an evidence file",
    target="EvidenceVersion",
    activity="create",
    severity="medium",
    fields="number sha256 size by_rule",
)
DELETION_APPROVED = action(
    "evidence.deletion.approved",
    "approved the permanent deletion of an evidence file",
    target="EvidenceVersion",
    activity="update",
    severity="medium",
    fields="number sha256 size",
)
DELETION_REJECTED = action(
    "evidence.deletion.rejected",
    "rejected the permanent deletion of an evidence file",
    target="EvidenceVersion",
    activity="update",
    severity="low",
    fields="number sha256",
)
DELETION_WITHDRAWN = action(
    "evidence.deletion.withdrawn",
    "withdrew a request to permanently delete an evidence file",
    target="EvidenceVersion",
    activity="update",
    severity="low",
    fields="number sha256",
)
DELETION_BLOCKED = action(
    "evidence.deletion.blocked",
    "was blocked from deleting an evidence file",
    target="EvidenceVersion",
    activity="update",
    severity="medium",
    fields="number sha256",
)
DESTROYED = action(
    "evidence.version.deleted",
    "permanently deleted an evidence file",
    target="EvidenceVersion",
    activity="delete",
    severity="medium",
    fields="number sha256 size shared",
)
REQUEST_LIFETIME = timedelta(days=30)


# ---- Legal holds and retention


class DeletionBlocked(DomainError):
    """A legal hold or another feature, such as an open engagement, requires the file."""


def place_hold(evidence: Evidence, *, reason: str) -> EvidenceHold:
    """Place a legal hold, which also stops approved deletions. Idempotent."""
    reason = actions.check_reason(reason, "Enter a reason. It is stored with the hold.")
    if (existing := deletion_queries.hold_on(evidence.id)) is not None:
        return existing
    hold = EvidenceHold(
        evidence_id=evidence.id,
        reason=reason,
        placed_by=current.person_id(),
        released_at=None,
        released_by=None,
    )
    session().add(hold)
    record(HOLD_PLACED, evidence, reason=reason, ref=evidence.ref)
    return hold


def release_hold(evidence: Evidence, *, reason: str) -> None:
    hold = deletion_queries.hold_on(evidence.id)
    if hold is None:
        raise DomainError("This evidence item has no legal hold.")
    reason = actions.check_reason(reason, "Enter a reason. It is stored with the hold.")
    hold.released_at, hold.released_by = clock.now(), current.person_id()
    record(HOLD_RELEASED, evidence, reason=reason, ref=evidence.ref)


def set_retention(kind: str, months: int | None, *, version: int) -> EvidenceRetention:
    """Set how many months files of a kind are kept after validity ends. None: indefinitely.

    `version` is the version of the rule that the form shows, or 0 if there was none. Raises Stale
    if it isn't the current one.
    """
    actions.check_choices(kind=(kind, actions.KINDS))
    if months is not None and not retention.MIN_MONTHS <= months <= retention.MAX_MONTHS:
        raise Invalid(
            f"Enter {retention.MIN_MONTHS} to {retention.MAX_MONTHS} months, or leave it empty"
            " to keep files"
            " indefinitely.",
            field="months",
        )
    lock_tenant(f"retention of {kind}")  # The first rule of a kind has no row to lock.
    rule = deletion_queries.retention_rule(kind, lock=True)
    if (rule.version if rule else 0) != version:
        raise Stale(
            "Someone else changed this retention period while you were editing. Review it, then"
            " save again."
        )
    before = rule.months if rule else None
    if rule is None:
        rule = EvidenceRetention(kind=kind, months=None, version=0, changed_by=current.person_id())
        session().add(rule)
    if before == months and rule.version:
        return rule
    rule.months, rule.version, rule.changed_by = months, rule.version + 1, current.person_id()
    record(RETENTION_CHANGED, rule, before={"months": before}, after={"months": months}, kind=kind)
    return rule


# ---- Permanent deletion by two people


def request_deletion(
    version: EvidenceVersion, evidence: Evidence, *, reason: str
) -> EvidenceDeletion:
    """Request the permanent deletion of a version's file. Idempotent."""
    existing = deletion_queries.deletion_of(version, "requested", "approved", "done")
    if existing is not None and not approvals.close_expired(deletion_queries.DELETION, existing.id):
        return existing
    reason = actions.check_reason(reason, "Enter a reason. It is stored with the record.")
    return _request(version, evidence, reason, requested_by=current.person_id(), by_rule=False)


def _request(
    version: EvidenceVersion, evidence: Evidence, reason: str, *, requested_by: UUID, by_rule: bool
) -> EvidenceDeletion:
    """Request the deletion. Requests by retention never expire, since they aren't repeated."""
    if version.sha256 is None or version.size is None:
        raise DomainError(f"Version {version.number} is a link, so there is no file to delete.")
    _check_deletable(version, evidence)
    request = EvidenceDeletion(
        version_id=version.id,
        sha256=version.sha256,
        size=version.size,
        state="requested",
        reason=reason,
        by_rule=by_rule,
        requested_by=requested_by,
        decided_by=None,
        decided_at=None,
        done_at=None,
        work_item_id=None,
    )
    session().add(request)
    session().flush()
    summary = f"delete the file of {evidence.ref} version {version.number} permanently"
    expires_at = None if by_rule else clock.now() + REQUEST_LIFETIME
    approvals.request(
        deletion_queries.DELETION,
        request.id,
        summary=summary,
        reason=reason,
        requesters=[requested_by],
        expires_at=expires_at,
    )
    return request


def start_destruction(request: EvidenceDeletion) -> None:
    """Mark a deletion as approved, and queue it for the jobs process.

    The approval itself writes the audit entry. This can't be undone.
    """
    request.state, request.decided_by, request.decided_at = (
        "approved",
        current.person_id(),
        clock.now(),
    )
    request.work_item_id = jobs.enqueue("destroy evidence", request.id).id


def close_deletion(request: EvidenceDeletion, state: str) -> None:
    """Close a request whose approval was rejected, withdrawn or expired.

    The approval itself writes the audit entry.
    """
    request.state, request.decided_by, request.decided_at = (
        state,
        current.actor().person_id,
        clock.now(),
    )


def carry_out(request: EvidenceDeletion) -> None:
    """Delete the file unless another version has the same bytes. Idempotent.

    If something blocks it now, for example a new legal hold, stop the request and record that. The
    deletion can then be requested again.
    """
    if request.state != "approved":
        return
    version, evidence = queries.find_version(request.version_id, lock=True)
    if (why := reason_to_keep(version, evidence)) is not None:
        with deletion_guard.filed_by_meridian():  # Recorded even during a change freeze.
            request.state = "stopped"
            record(
                DELETION_BLOCKED,
                version,
                outcome="denied",
                reason=why,
                number=version.number,
                sha256=request.sha256,
            )
        return
    lock_tenant(version_actions.STORAGE_LOCK)
    shared = stored_files.others_with(version)
    request.state, request.done_at = "done", clock.now()
    record(
        DESTROYED,
        version,
        about=request.decided_by,
        number=version.number,
        sha256=request.sha256,
        size=request.size,
        shared=shared or None,
    )
    publish(EvidenceFileDeleted(version.id))
    session().flush()  # A check that fails must do so before the file is removed.
    if not shared and version.storage_key:
        storage.store().remove(version.storage_key)


def propose_by_retention() -> int:
    """Request deletion of files past retention, on behalf of the people who set the rules.

    Returns the number of requests.
    """
    proposed = 0
    for version, evidence, rule in deletion_queries.past_retention(clock.today()):
        reason = (
            f"The retention period of {rule.months} months after {long_day(version.valid_until)}"
            " has ended."
        )
        _request(version, evidence, reason, requested_by=rule.changed_by, by_rule=True)
        proposed += 1
    return proposed


def reason_to_keep(version: EvidenceVersion, evidence: Evidence) -> str | None:
    """Return why the file can't be deleted, as a sentence, or None if it can."""
    if (hold := deletion_queries.hold_on(evidence.id)) is not None:
        return (
            f"{evidence.ref} has been on legal hold since {long_day(hold.created_at.date())}. Its"
            " files can't be deleted until someone releases it."
        )
    return deletion_guard.blocked_versions([version.id]).get(version.id)


def _check_deletable(version: EvidenceVersion, evidence: Evidence) -> None:
    if (why := reason_to_keep(version, evidence)) is not None:
        raise DeletionBlocked(why)
