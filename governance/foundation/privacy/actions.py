"""What two persons decide about a third, what nobody may erase, and how long sealed parts are kept.

request_erasure, start_erasure, begin, finish              erasing a person, for good
request_unmasking, show_name, end_unmasking, note_use      a name for an hour
place_hold, release_hold, held_back                        what stops an erasure
set_retention, shred                                       how long sealed parts stay readable
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import actions as people
from governance.foundation.people import queries as directory
from governance.foundation.people.models import Membership
from governance.foundation.privacy import erasure_list, permissions, person_erasure, queries
from governance.foundation.privacy.models import Erasure, LegalHold, RetentionRule, Unmasking
from governance.foundation.privacy.queries import ERASURE, UNMASKING
from governance.kernel import background_work, clock, current
from governance.kernel.db import Model, session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.formatting import long_day

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
ERASURE_BLOCKED = action(
    "erasure.blocked",
    "was blocked from erasing a person by a legal hold",
    target="Erasure Membership",
    activity="update",
    severity="medium",
    fields="subject holds step",
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
UNMASKING_REQUESTED = action(
    "unmasking.requested",
    "requested the name behind a pseudonym",
    target="Unmasking",
    activity="create",
    severity="medium",
    fields="subject",
)
UNMASKING_APPROVED = action(
    "unmasking.approved",
    "approved revealing the name behind a pseudonym",
    target="Unmasking",
    activity="update",
    severity="medium",
    fields="subject until",
)
UNMASKING_REJECTED = action(
    "unmasking.rejected",
    "rejected a request for the name behind a pseudonym",
    target="Unmasking",
    activity="update",
    severity="low",
    fields="subject",
)
UNMASKING_WITHDRAWN = action(
    "unmasking.withdrawn",
    "withdrew a request for the name behind a pseudonym",
    target="Unmasking",
    activity="update",
    severity="low",
    fields="subject",
)
UNMASKING_VIEWED = action(
    "unmasking.viewed",
    "viewed the name behind a pseudonym",
    target="Unmasking",
    activity="read",
    severity="medium",
    fields="subject",
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
RETENTION_CHANGED = action(
    "audit.retention.changed",
    "changed how long encrypted fields are kept",
    target="RetentionRule",
    activity="update",
    severity="medium",
    fields="months",
)
KEYS_DESTROYED = action(
    "audit.encrypted_fields.shredded",
    "destroyed the keys of encrypted fields past their retention",
    target="Tenant",
    activity="delete",
    severity="medium",
    fields="keys older_than holds months",
)

UNMASKING_LIFETIME = timedelta(hours=1)
MIN_RETENTION_MONTHS, MAX_RETENTION_MONTHS = 12, 120


class UnderLegalHold(DomainError):
    """A legal hold stands in the way; its sentence names it."""


class ErasureStarted(DomainError):
    pass


# ---- erasing a person


def request_erasure(membership: Membership, reason: str) -> Erasure:
    """Requested twice is requested once.

    The last admin is refused here already, and again when it is carried out.
    """
    pseudonym = subject_of_member(membership)
    session().refresh(membership, with_for_update={"of": Membership})  # two people may ask at once
    there = queries.open_erasure(pseudonym)
    if there is not None and not approvals.close_expired(ERASURE, there.id):
        return there
    check_reason(reason)
    people.check_not_last_admin(membership)
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
    """It was approved: the jobs process carries it out. There is no way back."""
    people.check_not_last_admin(membership)
    erasure.state = "approved"
    background_work.start(erasure)


def close_erasure(erasure: Erasure, state: str) -> None:
    """Its approval was rejected, withdrawn or expired, which is recorded as that.

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
    """What to put on the erasure list before anything is erased; None where it is done.

    From here on no hold can be placed.

    A hold that was placed since the approval ends it: the row says so, and the caller finds no one
    to erase.
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
    """Erase, unless it was done by another try. Needs a transaction with person_id set."""
    if erasure.state == "approved":
        _erase(erasure, membership)


def erase_again(listed: erasure_list.ListedErasure, membership: Membership | None) -> Erasure:
    """After a restore: what the list holds is erased again, whatever the restored rows say.

    Holds in them are older than it.

    A request that the backup brought back open is closed first: nobody is asked to approve what was
    carried out.
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
    """The row keeps counts and the pseudonym; what was written for the approval may name the person
    and goes too.
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


def record_hold_conflict(target: Model, subject: str, *, step: str) -> str | None:
    """The sentence of the hold that forbids erasing this person, if one stands; the attempt is
    recorded.
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
    """Of the legal hold that forbids erasing this person; None where none does."""
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


# ---- who a pseudonym is


def request_unmasking(pseudonym: str, reason: str) -> Approval:
    """Ask who a pseudonym is.

    Requested twice is requested once, while the first request is open.
    """
    membership = directory.by_pseudonym(pseudonym.strip())
    if membership is None:
        raise Invalid(
            "No one in this tenant has that pseudonym. Copy its 32 letters and digits from an audit"
            " log entry.",
            field="subject",
        )
    session().refresh(membership, with_for_update={"of": Membership})
    if (there := queries.my_open_unmasking(membership.pseudonym)) is not None:
        return there
    asked = Unmasking(
        subject=membership.pseudonym, requested_by=current.person_id(), until=None, used_at=None
    )
    session().add(asked)
    session().flush()
    summary = f"see the name behind {short_pseudonym(asked.subject)}"
    return approvals.request(
        UNMASKING, asked.id, summary=summary, reason=reason, about=membership.person_id
    )


def show_name(asked: Unmasking, *, at: datetime) -> None:
    """The requester sees the name for an hour from the approval on."""
    asked.until = at + UNMASKING_LIFETIME
    record(UNMASKING_APPROVED, asked, subject=asked.subject, until=asked.until)


def end_unmasking(asked: Unmasking) -> None:
    """The requester no longer needs the name. It tightens, so it takes nobody else."""
    if current.person_id() != asked.requested_by:
        raise Forbidden("Only the person who requested this can end it.")
    if asked.until is None or asked.until <= clock.now():
        raise DomainError("This name is no longer shown.")
    asked.until = clock.now()
    record(UNMASKING_WITHDRAWN, asked, subject=asked.subject)


def record_viewed_names(subjects: Collection[str]) -> None:
    """The acting person was shown these names: recorded once for each time that a second person
    agreed.
    """
    for shown in queries.unused(subjects):
        shown.used_at = clock.now()
        record(UNMASKING_VIEWED, shown, subject=shown.subject)


# ---- legal holds


def place_hold(membership: Membership | None, reason: str) -> LegalHold:
    """On one person, or without one on everybody.

    An erasure that has begun can no longer be stopped.
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


# ---- how long


def set_retention(months: int, *, version: int) -> RetentionRule:
    """`version` is that of the rule which the form was opened with; 0 when there was none."""
    if not MIN_RETENTION_MONTHS <= months <= MAX_RETENTION_MONTHS:
        raise Invalid(
            f"Enter {MIN_RETENTION_MONTHS} to {MAX_RETENTION_MONTHS} months.", field="months"
        )
    rule = queries.retention(lock=True)
    if (rule.version if rule else 0) != version:
        raise Stale(
            "Someone else changed the retention while you were editing. Review the new value, then"
            " save again.",
            {"months": (months, rule.months if rule else queries.DEFAULT_MONTHS)},
        )
    before = rule.months if rule else queries.DEFAULT_MONTHS
    if rule is None:
        rule = RetentionRule(months=months, version=0, changed_by=current.person_id())
        session().add(rule)
    rule.months, rule.version, rule.changed_by = months, rule.version + 1, current.person_id()
    record(RETENTION_CHANGED, rule, before={"months": before}, after={"months": months})
    return rule


def destroy_expired_keys() -> int:
    """Destroy the keys to sealed parts that are past their time, holds excepted.

    The entries and their hashes stay.
    """
    months, holds = queries.months_kept(), queries.all_active_holds()
    if any(hold.subject is None for hold in holds):
        return 0
    before = oldest_kept_month(clock.today(), months)
    kept = queries.subjects_under_hold([hold.subject for hold in holds if hold.subject])
    keys = personal_field_encryption.shred(before, kept)
    if keys:
        record(
            KEYS_DESTROYED,
            queries.own_tenant(),
            keys=keys,
            older_than=before,
            holds=len(holds),
            months=months,
        )
    return keys


def oldest_kept_month(today: date, months: int) -> str:
    """The first month that is kept: what was sealed in an earlier one is older than that many
    months.
    """
    count = today.year * 12 + today.month - 1 - months
    return f"{count // 12:04}-{count % 12 + 1:02}"


# ---- rules that several share


def subject_of_member(membership: Membership) -> str:
    """One whose membership was erased has no pseudonym in the log any more."""
    if membership.pseudonym != personal_field_encryption.pseudonym(membership.person_id):
        raise DomainError("This person was already erased.")
    return membership.pseudonym


def person_behind(pseudonym: str | None) -> UUID | None:
    membership = directory.by_pseudonym(pseudonym) if pseudonym else None
    return membership.person_id if membership else None


def subject_of(asked: Unmasking) -> UUID | None:
    """The person whose name is asked for."""
    return person_behind(asked.subject)


def short_pseudonym(subject: str) -> str:
    """As pages show it."""
    return f"p-{subject[:4]}-{subject[4:8]}"


def check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Give a reason. It is kept in the audit log.", field="reason")
