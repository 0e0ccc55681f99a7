"""Erase a person: request it, start it once it is approved, and carry it out."""

from datetime import datetime

from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import member_actions
from governance.foundation.people.models import Membership
from governance.foundation.privacy import erasure_list, permissions, person_erasure, queries
from governance.foundation.privacy.legal_hold_actions import (
    check_no_hold,
    check_reason,
    record_hold_conflict,
)
from governance.foundation.privacy.models import Erasure
from governance.foundation.privacy.queries import ERASURE, UNMASKING
from governance.foundation.privacy.unmasking_actions import short_pseudonym
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.work import background_work

ERASURE_REQUESTED = action(
    "erasure.requested",
    "requested the erasure of a person",
    target="Erasure",
    activity="create",
    severity="medium",
    fields="subject",
)
ERASURE_APPROVED = action(
    "erasure.approved",
    "approved the erasure of a person",
    target="Erasure",
    activity="update",
    severity="medium",
    fields="subject",
)
ERASURE_REJECTED = action(
    "erasure.rejected",
    "rejected the erasure of a person",
    target="Erasure",
    activity="update",
    severity="low",
    fields="subject",
)
ERASURE_WITHDRAWN = action(
    "erasure.withdrawn",
    "withdrew a request to erase a person",
    target="Erasure",
    activity="update",
    severity="low",
    fields="subject",
)
PERSON_ERASED = action(
    "person.erased",
    "erased a person",
    target="Erasure",
    activity="delete",
    severity="medium",
    event_class="entity_management",
    fields="subject removed replaced left again",
)


def request_erasure(membership: Membership, reason: str) -> Erasure:
    """Request an erasure. Idempotent.

    Raises for the last admin, here and again when it is carried out.
    """
    pseudonym = subject_of_member(membership)
    # Two people may request it at once.
    session().refresh(membership, with_for_update={"of": Membership})
    there = queries.open_erasure(pseudonym)
    if there is not None and not approvals.close_expired(ERASURE, there.id):
        return there
    check_reason(reason)
    member_actions.check_not_last_admin(membership)
    check_no_hold(pseudonym)
    erasure = Erasure(
        subject=pseudonym,
        person_id=membership.person_id,
        requested_by=current.person_id(),
        work_item_id=None,
        done_at=None,
    )
    session().add(erasure)
    session().flush()
    approvals.request(
        ERASURE,
        erasure.id,
        summary=f"erase {membership.person.name}",
        reason=reason,
        about=membership.person_id,
    )
    return erasure


def start_erasure(erasure: Erasure, membership: Membership) -> None:
    """Start an approved erasure, which the jobs process carries out. It can't be undone."""
    member_actions.check_not_last_admin(membership)
    erasure.state = "approved"
    background_work.start(erasure)


def close_erasure(erasure: Erasure, state: str) -> None:
    """Close an erasure whose approval was rejected, withdrawn or expired; the approval records it.

    Nothing is erased.
    """
    erasure.state = state


def _check_still_approved(erasure: Erasure) -> None:
    if erasure.state != "approved":
        raise DomainError(
            "This erasure was rejected. Nothing was erased. You can request a new one."
        )


ERASING = background_work.WorkKind(
    name="erase",
    noun="erasure",
    model=Erasure,
    view=permissions.ERASE,
    permission=permissions.ERASE,
    find=queries.erasure,
    title=lambda _: "Erase a person",
    page=lambda row: ("privacy.erasure", {"erasure_id": row.id}),
    address=lambda row: {"erasure_id": row.id},
    renew=_check_still_approved,
    cancelled=None,
    requested=lambda row: record(ERASURE_APPROVED, row, about=row.person_id, subject=row.subject),
    icon="user-off",
    result_label="View what was erased",
)


def begin_erasure(erasure: Erasure) -> erasure_list.ListedErasure | None:
    """Return the entry for the erasure list, written before anything is erased; None if it is done.

    From here on no hold can be placed. A hold that was placed since the approval ends the erasure:
    the row says so, and the caller finds no one to erase.
    """
    if erasure.state != "approved" or erasure.person_id is None:
        return None
    if "listed" not in erasure.found and record_hold_conflict(
        erasure, erasure.subject, step="carried out"
    ):
        erasure.state = "rejected"
        return None
    at = datetime.fromisoformat(erasure.found.get("listed") or clock.now().isoformat())
    erasure.found = {"listed": at.isoformat()}
    return erasure_list.ListedErasure(
        erasure.id, erasure.tenant_id, erasure.subject, erasure_list.digest(erasure.person_id), at
    )


def finish_erasure(erasure: Erasure, membership: Membership | None) -> None:
    """Erase, unless another try did. Needs a transaction with person_id set."""
    if erasure.state == "approved":
        _erase(erasure, membership)


def erase_again(listed: erasure_list.ListedErasure, membership: Membership | None) -> Erasure:
    """Erase what the list has again after a restore, for any state of the restored rows.

    Holds in them are older than it. A request that the backup reopened is closed first: nobody is
    asked to approve what was carried out.
    """
    for each in queries.erasures_of(listed.subject):
        approvals.void(ERASURE, each, reason="It was carried out before the restore.")
    erasure = (
        session()
        .scalars(select(Erasure).where(Erasure.id == listed.erasure_id).with_for_update())
        .one_or_none()
    )
    if erasure is None:
        erasure = Erasure(
            id=listed.erasure_id,
            subject=listed.subject,
            person_id=None,
            requested_by=None,
            work_item_id=None,
            done_at=None,
        )
        session().add(erasure)
    _erase(erasure, membership, again=True)
    return erasure


def _erase(erasure: Erasure, membership: Membership | None, *, again: bool = False) -> None:
    """Erase the person, and the text that was written for the approval, since it may name them.

    The row keeps counts and the pseudonym.
    """
    known_as = short_pseudonym(erasure.subject)
    approvals.redact(ERASURE, queries.erasures_of(erasure.subject), summary=f"erase {known_as}")
    approvals.redact(
        UNMASKING, queries.unmaskings_of(erasure.subject), summary=f"see the name behind {known_as}"
    )
    found = person_erasure.carry_out(erasure.subject, membership)
    erasure.state, erasure.done_at, erasure.person_id, erasure.found = (
        "done",
        clock.now(),
        None,
        found,
    )
    record(
        PERSON_ERASED,
        erasure,
        subject=erasure.subject,
        removed=found["removed"],
        replaced=found["replaced"],
        left=found["left"],
        again=again or None,
    )


def subject_of_member(membership: Membership) -> str:
    """Return the pseudonym; raise if the membership was erased, since the log has none then."""
    if membership.pseudonym != personal_field_encryption.pseudonym(membership.person_id):
        raise DomainError("This person was already erased.")
    return membership.pseudonym
