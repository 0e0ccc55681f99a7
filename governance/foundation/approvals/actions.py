"""Request an approval and decide on it.

What is applied is exactly what another person than the requester saw.

request                   one open approval for a kind and target; requested twice is requested once
renew                     the target was made ready, or redone: the approvals given so far no longer
                          count
approve                   the last approval that is needed applies it, in the approver's transaction
reject, withdraw          another person with a reason; a requester
void                      the feature edits the target: call it before the first change
expire                    nightly, what nobody decided in time
remind                    the requester writes to one approver, once a day

Each takes the lock of its kind first and then the approval's row, so an edit of the target at
the same moment waits.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from governance.foundation.approvals import discussion, kinds, queries
from governance.foundation.approvals.approval_records import FIELDS, record_step
from governance.foundation.approvals.events import RequestClosed
from governance.foundation.approvals.kinds import ApprovalKind
from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.kernel.work.events import publish

RENEWED = action(
    "approval.renewed",
    "renewed an approval request",
    target="Approval",
    activity="update",
    severity="low",
    fields=FIELDS,
)
REDACTED = action(
    "approval.redacted",
    "removed personal text from an approval request",
    target="Approval",
    activity="update",
    severity="informational",
    fields="number",
)

MAX_REASON_LENGTH = 2000
GONE = "There is nothing to approve. The content may have been deleted."
NOT_READY = "This request isn't ready for a decision yet."


class Edited(Stale):
    """The target is no longer what was requested."""


class Blocked(Stale):
    """Something keeps it from being approved now, a legal hold for instance."""


class KindRemoved(DomainError):
    """No feature has this kind of approval any more."""


# ---- requesting


def request(
    kind_name: str,
    target_id: UUID,
    *,
    summary: str,
    reason: str,
    about: UUID | None = None,
    requesters: Sequence[UUID] | None = None,
    approvers: Collection[UUID] = (),
    needed: int | None = None,
    expires_at: datetime | None = None,
    is_ready: bool = True,
) -> Approval:
    """Request an approval of the target as it is now.

    `summary` reads after "asks to". `requesters` made the target, and the first of them the request
    (default: the acting person); none of them decides. Returns the open approval when there is one
    already.
    """
    kind = _kind(kind_name)
    lock_tenant(kind.lock_name)
    close_expired(kind_name, target_id)
    if (there := queries.open_approval(kind_name, target_id, lock=True)) is not None:
        return there
    _check_reason(reason)
    lock_tenant("approval numbers")
    made_by = list(requesters) if requesters is not None else [current.person_id()]
    made = Approval(
        number=queries.next_number(),
        kind=kind_name,
        target_id=target_id,
        summary=summary,
        fingerprint="",
        reason=reason.strip()[:MAX_REASON_LENGTH],
        requested_by=made_by[0] if made_by else None,
        requested_at=clock.now(),
        requesters=[str(each) for each in made_by],
        excluded=[str(each) for each in [*made_by, *([about] if about else [])]],
        approvers=[str(each) for each in approvers],
        roles=sorted(kind.permission.roles),
        needed=needed or kind.needed,
        step_up=kind.step_up,
        is_ready=is_ready,
        expires_at=expires_at or (clock.now() + kind.lifetime if kind.lifetime else None),
        closed_at=None,
        closed_by=None,
    )
    session().add(made)
    session().flush()
    made.fingerprint = kinds.fingerprint(made)
    if not made.fingerprint:
        raise NotFound(GONE)
    who = current.actor()
    meridian = system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)
    # A request that nobody made is recorded as Meridian's, as on its page and in the inbox.
    with current.acting_as(who if made_by else meridian):
        record_step(made, "requested", reason=made.reason)
    return made


def close_expired(kind_name: str, target_id: UUID) -> bool:
    """Close the target's request if it has expired and the nightly job hasn't closed it yet.

    Return whether it did.
    """
    lock_tenant(_kind(kind_name).lock_name)
    there = queries.open_approval(kind_name, target_id, lock=True)
    if there is None or not queries.is_expired(there):
        return False
    _close(there, "expired")
    session().flush()
    return True


def renew(
    kind_name: str,
    target_id: UUID,
    *,
    is_ready: bool = True,
    also_requested_by: UUID | None = None,
) -> Approval | None:
    """Bind the open approval to the target as it is now; approvals given before no longer count.

    Call it after the target was changed. `also_requested_by` has made the target what it is as
    well, and so doesn't decide it. Returns None where no approval is open any more; one that has
    expired is closed.
    """
    if close_expired(kind_name, target_id):
        return None
    approval = queries.open_approval(kind_name, target_id, lock=True)
    if approval is None:
        return None
    if (also := str(also_requested_by)) not in approval.requesters and also_requested_by:
        approval.requesters = [*approval.requesters, also]
        approval.excluded = [*approval.excluded, also]
    fingerprint = kinds.fingerprint(approval)
    if not fingerprint:
        raise NotFound(GONE)
    for each in queries.given(approval):
        session().delete(each)
    approval.fingerprint, approval.is_ready = fingerprint, is_ready
    session().flush()
    record(RENEWED, approval, kind=approval.kind, number=approval.number, fingerprint=fingerprint)
    return approval


# ---- deciding


def approve(approval: Approval, *, seen: str, typed: str = "", reason: str = "") -> object:
    """Give one approval of exactly what was seen; the last one that is needed applies it.

    Returns what the kind's `apply` returns, None while more approvals are needed. The second of two
    clicks of one person changes nothing. Raises Stale when the target or what it depends on
    changed, Edited and Blocked among them.
    """
    kind = lock_approval(approval)
    if kind is None:
        raise KindRemoved(
            "Meridian no longer has approvals of this kind. Reject or withdraw the request."
        )
    if approval.state in {"open", "approved"} and _gave(approval, seen):
        return None
    check_open(approval)
    queries.check_may_approve(approval)
    _check_current(approval, seen)
    if (why := kind.blocked(approval)) is not None:
        raise Blocked(why)
    _check_typed(kind.confirmation(approval), typed)
    now = clock.now()
    session().add(
        ApprovalGiven(
            approval_id=approval.id, person_id=current.person_id(), fingerprint=seen, given_at=now
        )
    )
    session().flush()
    if not _are_enough(approval, seen):
        record_step(approval, "given", reason=reason.strip(), fingerprint=seen)
        return None
    approval.state, approval.closed_at, approval.closed_by = "approved", now, current.person_id()
    record_step(approval, "approved", reason=reason.strip(), fingerprint=seen)
    _publish_closed(approval)
    return kind.apply(approval)


def _gave(approval: Approval, seen: str) -> bool:
    """Return whether the acting person approved exactly this before, and it counts.

    This is the second click of two.
    """
    every = queries.given(approval)
    lapsed = queries.lapsed(approval, every)
    return any(
        (each.person_id, each.fingerprint) == (current.person_id(), seen)
        for each in every
        if each.person_id not in lapsed
    )


def _are_enough(approval: Approval, seen: str) -> bool:
    """Return whether enough people approved exactly this and still may.

    Deletes the approvals that no longer count, so that they are requested again. Raises Forbidden
    when the acting person lost their role at this moment.
    """
    every = queries.given(approval)
    lapsed = queries.lapsed(approval, every)
    if current.person_id() in lapsed:
        raise Forbidden(queries.ROLE_LOST)
    counted = [each for each in every if each.fingerprint == seen and each.person_id not in lapsed]
    enough = len(counted) >= approval.needed
    for each in every:
        if each.fingerprint != seen or (enough and each.person_id in lapsed):
            session().delete(each)
    return enough


def reject(approval: Approval, *, reason: str) -> None:
    """Close the request unapplied, also when its kind no longer exists."""
    lock_approval(approval)
    check_open(approval)
    queries.check_may_reject(approval)
    _check_reason(reason)
    _close(approval, "rejected", note=reason)


def withdraw(approval: Approval) -> None:
    lock_approval(approval)
    check_open(approval)
    if str(current.person_id()) not in approval.requesters:
        raise Forbidden("Only the person who requested this can withdraw it.")
    _close(approval, "withdrawn")


def void(kind_name: str, target_id: UUID, *, reason: str) -> bool:
    """Close the open approval of a target that is about to be edited.

    Returns whether there was one.

    Call it before the first change of the target: an approval that is being given at that moment is
    finished first.
    """
    kind = _kind(kind_name)
    lock_tenant(kind.lock_name)
    approval = queries.open_approval(kind_name, target_id, lock=True)
    if approval is None:
        return False
    _close(approval, "voided", note=reason)
    return True


def note_refusal(approval: Approval, refused: Stale | None) -> None:
    """Record what a failed approval showed.

    This is an edit that voids the request, or an attempt that something blocked.
    """
    if isinstance(refused, Edited):
        lock_approval(approval)
        if approval.state == "open":
            _close(approval, "voided", note=refused.message)
    elif isinstance(refused, Blocked):
        record_step(approval, "blocked", outcome="denied")


def expire() -> None:
    """Close requests that nobody decided in time, every night."""
    for approval in queries.expired():
        _close(approval, "expired")


def _close(approval: Approval, state: str, *, note: str = "") -> None:
    approval.state, approval.closed_at, approval.closed_by = (
        state,
        clock.now(),
        current.actor().person_id,
    )
    approval.note = note.strip()[:MAX_REASON_LENGTH]
    kind = kinds.named(approval.kind)
    record_step(approval, state, reason=approval.note)
    if state != "withdrawn":
        _publish_closed(approval)
    if kind is not None:
        with suppress(NotFound):  # The target is gone, so nothing is left that could follow.
            kind.on_reject(approval)


def _publish_closed(approval: Approval) -> None:
    publish(
        RequestClosed(
            approval.id,
            f"{approval.ref}, {kinds.label(approval)}",
            f"approvals/{approval.id}",
            approval.state,
            tuple(UUID(each) for each in approval.requesters),
        )
    )


def redact(kind_name: str, target_ids: Collection[UUID], *, summary: str) -> None:
    """Remove the free text of the approvals of these targets.

    Used, for instance, once the person they are about was erased.
    """
    for approval in queries.latest(kind_name, target_ids).values():
        approval.summary, approval.reason, approval.note = summary, "", ""
        discussion.delete_comments(approval)
        record(REDACTED, approval, number=approval.number)


# ---- checks


def _kind(name: str) -> ApprovalKind:
    kind = kinds.named(name)
    if kind is None:
        raise LookupError(f"no feature registers the approval kind {name}")
    return kind


def lock_approval(approval: Approval) -> ApprovalKind | None:
    """Take the kind's lock, then the row's, and read it again."""
    kind = kinds.named(approval.kind)
    if kind is not None:
        lock_tenant(kind.lock_name)
    session().refresh(approval, with_for_update=True)
    return kind


def check_open(approval: Approval) -> None:
    if approval.state != "open":
        raise Stale(f"This request was already {approval.state}. Nothing was changed.")
    if queries.is_expired(approval):
        raise Stale("This request has expired. The requester can make a new one.")


def _check_current(approval: Approval, seen: str) -> None:
    """Raise unless the approval still is what was requested and what the approver saw.

    Raises Edited, Stale, or DomainError while it isn't ready. This is the only such check.
    """
    now = kinds.fingerprint(approval)
    if not now or now != approval.fingerprint:
        raise Edited(
            "The content has changed since it was requested, so this request is void. The requester"
            " can make a new one."
        )
    if not approval.is_ready:
        raise DomainError(NOT_READY)
    if seen != kinds.fingerprint_seen(approval):
        raise Stale(
            "Something has changed since you opened this page. Review the request as it is now,"
            " then decide again."
        )


def _check_typed(wanted: str, typed: str) -> None:
    if wanted and " ".join(typed.split()).casefold() != " ".join(wanted.split()).casefold():
        raise Invalid(f"Type {wanted} exactly as shown.", field="typed")


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
