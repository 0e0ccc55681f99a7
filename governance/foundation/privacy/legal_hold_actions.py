"""Place and release legal holds, which block erasures and retention."""

from collections.abc import Collection

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.models import Membership
from governance.foundation.privacy import queries
from governance.foundation.privacy.models import LegalHold
from governance.foundation.privacy.unmasking_actions import person_behind
from governance.kernel import clock, current
from governance.kernel.data.db import Model, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.formatting import long_day

ERASURE_BLOCKED = action(
    "erasure.blocked",
    "was blocked from erasing a person by a legal hold",
    target="Erasure Membership",
    activity="update",
    severity="medium",
    fields="subject holds step",
)
HOLD_PLACED = action(
    "legal_hold.placed",
    "placed a legal hold",
    target="LegalHold",
    activity="create",
    severity="medium",
    fields="subject",
)
HOLD_RELEASED = action(
    "legal_hold.released",
    "released a legal hold",
    target="LegalHold",
    activity="update",
    severity="medium",
    fields="subject",
)


class UnderLegalHold(DomainError):
    """A legal hold blocks the action; the sentence names it."""


class ErasureStarted(DomainError):
    pass


def record_hold_conflict(target: Model, subject: str, *, step: str) -> str | None:
    """Return the sentence of the hold that forbids erasing this person, and record the attempt.

    Returns None if there is no hold.
    """
    held = queries.active_holds(subject)
    if not held:
        return None
    record(
        ERASURE_BLOCKED,
        target,
        outcome="denied",
        subject=subject,
        holds=[str(h.id) for h in held],
        step=step,
    )
    return hold_sentence(held)


def why_on_hold(subject: str) -> str | None:
    """Return the sentence of the legal hold that forbids erasing this person; None without one."""
    held = queries.active_holds(subject)
    return hold_sentence(held) if held else None


def check_no_hold(subject: str) -> None:
    if (why := why_on_hold(subject)) is not None:
        raise UnderLegalHold(why)


def hold_sentence(held: Collection[LegalHold]) -> str:
    first = next(iter(held))
    covered = "this person" if first.subject else "everyone in this tenant"
    return (
        f"A legal hold on {covered} blocks this erasure. It was placed on"
        f" {long_day(first.created_at)}. No one it covers can be erased until it is released."
    )


def place_hold(membership: Membership | None, reason: str) -> LegalHold:
    """Place a hold on one person, or on everybody if `membership` is None.

    An erasure that has started can no longer be stopped.
    """
    check_reason(reason)
    pseudonym = membership.pseudonym if membership else None
    if any("listed" in under_way.found for under_way in queries.approved_erasures(pseudonym)):
        raise ErasureStarted(
            "An erasure that this hold would cover has started and can't be stopped. Place the hold"
            " when it has finished."
        )
    held = LegalHold(
        subject=pseudonym,
        reason=reason,
        placed_by=current.person_id(),
        released_at=None,
        released_by=None,
    )
    session().add(held)
    record(
        HOLD_PLACED,
        held,
        about=membership.person_id if membership else None,
        reason=reason,
        subject=pseudonym,
    )
    return held


def release_hold(held: LegalHold, reason: str) -> None:
    if held.released_at is not None:
        raise DomainError("This legal hold was already released.")
    check_reason(reason)
    held.released_at, held.released_by = clock.now(), current.person_id()
    record(
        HOLD_RELEASED, held, about=person_behind(held.subject), reason=reason, subject=held.subject
    )


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
