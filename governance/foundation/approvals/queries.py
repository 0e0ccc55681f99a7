"""Read approvals: one of them, those of targets, and who may decide."""

from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Select,
    String,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import aliased

from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval, ApprovalGiven, ApprovalReminder
from governance.foundation.people.models import Membership
from governance.foundation.people.queries import names
from governance.foundation.people.second_person import OWN, ApprovalRequest
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows, one_of
from governance.kernel.errors import Forbidden, NotFound
from governance.kernel.safety.access import allowed

GAVE = "You approved this already. Another person has to approve it too."
LAPSED = (
    "Your role has changed since you approved this, so your approval no longer counts. Another"
    " person decides."
)
ROLE_LOST = "Your role has changed, so you can't decide this any more. Nothing was changed."
NAMED = "Other people were named to decide this."


def approval(approval_id: UUID) -> Approval:
    """Return an approval that the acting person may see. Raises NotFound otherwise."""
    found = find(Approval, approval_id, what="approval")
    if not is_visible(found):
        raise NotFound("This approval doesn't exist.")
    return found


def is_visible(approval: Approval) -> bool:
    """Return whether the acting person is a requester or may decide this kind."""
    return str(current.person_id()) in approval.requesters or may_decide(approval)


def may_decide(approval: Approval) -> bool:
    """Return whether the acting person's role decides that kind, or used to if it is gone."""
    kind = kinds.named(approval.kind)
    return allowed(kind.permission) if kind else current.actor().role in approval.roles


def is_open(approval: Approval) -> bool:
    """Return whether it is open and not past its expiry; the nightly job closes expired ones."""
    return approval.state == "open" and not is_expired(approval)


def is_expired(approval: Approval) -> bool:
    return approval.expires_at is not None and approval.expires_at <= clock.now()


def open_approval(kind: str, target_id: UUID, *, lock: bool = False) -> Approval | None:
    """Return the open approval of that kind and target, expired or not."""
    query = select_open(kind, target_id)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def select_open(kind: str, target_id: UUID | BindParameter[UUID]) -> Select[Approval]:
    """Select the approval that `open_approval` returns."""
    return select(Approval).where(
        Approval.kind == kind, Approval.target_id == target_id, Approval.state == "open"
    )


LATEST = Rows(
    Approval,
    lambda m: and_(m.kind == bindparam("kind", type_=String()), one_of(m.target_id, "target_ids")),
    lambda m: (m.number,),
)


def of_targets(kind: str, target_ids: Iterable[UUID]) -> dict[str, Hashable]:
    """Return the values that LATEST is read for."""
    return {"kind": kind, "target_ids": tuple(sorted(set(target_ids)))}


def latest(kind: str, target_ids: Collection[UUID]) -> dict[UUID, Approval]:
    """Return target → its newest approval of that kind, in one statement."""
    if not target_ids:
        return {}
    return {each.target_id: each for each in LATEST.read(**of_targets(kind, target_ids))}


def expired() -> Sequence[Approval]:
    """Return and lock the open approvals that have expired, except those being decided now."""
    query = select(Approval).where(Approval.state == "open", Approval.expires_at <= clock.now())
    return (
        session().scalars(query.order_by(Approval.number).with_for_update(skip_locked=True)).all()
    )


GIVEN = Rows(
    ApprovalGiven, lambda m: one_of(m.approval_id, "approval_ids"), lambda m: (m.given_at, m.id)
)


def given(approval: Approval) -> Sequence[ApprovalGiven]:
    """Return the approvals given so far, oldest first."""
    return GIVEN.read(approval_ids=(approval.id,))


def lapsed(approval: Approval, every: Sequence[ApprovalGiven]) -> set[UUID]:
    """Return the givers whose approval no longer counts.

    They left, or their current role doesn't decide this kind or is newer than their approval.
    """
    if not every:
        return set()
    kind = kinds.named(approval.kind)
    roles = kind.permission.roles if kind else approval.roles
    query = select(Membership.person_id, Membership.role_since).where(
        Membership.ended_at.is_(None), Membership.role.in_(roles)
    )
    since = {
        row.person_id: row.role_since for row in session().execute(query.where(_is_one_of(every)))
    }
    return {
        each.person_id
        for each in every
        if each.person_id not in since or since[each.person_id] > each.given_at
    }


def _is_one_of(every: Sequence[ApprovalGiven]) -> ColumnElement[bool]:
    return Membership.person_id.in_({each.person_id for each in every})


def next_number() -> int:
    return (session().scalar(select(func.max(Approval.number))) or 0) + 1


# ---- who may decide


@dataclass(frozen=True, slots=True)
class Approver:
    """A person who can approve it now. `reminded` is true if they were reminded today."""

    person_id: UUID
    name: str
    email: str
    reminded: bool


def why_not(approval: Approval) -> str | None:
    """Return why the acting person may not approve it, as a sentence; None where they may."""
    if not may_decide(approval):
        return "Your role can't decide this."
    if (why := _rule(approval).why_not()) is not None:
        return why
    return (
        NAMED if approval.approvers and str(current.person_id()) not in approval.approvers else None
    )


def check_may_approve(approval: Approval) -> None:
    if (why := why_not(approval)) is not None:
        raise Forbidden(why)


def why_not_reject(approval: Approval) -> str | None:
    """Return why the acting person may not reject it, as a sentence; None where they may.

    Rejecting gives nobody anything. So everyone who decides this kind may, however new, except its
    requesters and the person it is about.
    """
    if not may_decide(approval):
        return "Your role can't decide this."
    return _own(approval, ()) if str(current.person_id()) in approval.excluded else None


def check_may_reject(approval: Approval) -> None:
    if (why := why_not_reject(approval)) is not None:
        raise Forbidden(why)


def _is_of_same(reminder: type[ApprovalReminder]) -> ColumnElement[bool]:
    """Return the condition that a reminder belongs to the same kind and target."""
    asked, same = aliased(Approval), aliased(Approval)
    ids = select(same.id).join(
        asked, and_(asked.kind == same.kind, asked.target_id == same.target_id)
    )
    return reminder.approval_id.in_(ids.where(one_of(asked.id, "approval_ids")))


REMINDERS = Rows(
    ApprovalReminder,
    lambda m: and_(_is_of_same(m), m.sent_on == bindparam("today", type_=Date())),
    lambda m: (m.id,),
)


def approvers(approval: Approval) -> list[Approver]:
    """Return the people who can approve it now, by name."""
    kind = kinds.named(approval.kind)
    if kind is None:
        return []
    wanted: Sequence[Membership] = _rule(approval).candidates(kind.permission)
    today = REMINDERS.read(approval_ids=(approval.id,), today=clock.today())
    reminded = {each.person_id for each in today}
    called = names(m.person_id for m in wanted)
    return [
        Approver(m.person_id, called[m.person_id], m.person.email, m.person_id in reminded)
        for m in wanted
        if not approval.approvers or str(m.person_id) in approval.approvers
    ]


def count_reminders_today(requested_by: UUID | None, person_id: UUID) -> int:
    """Count the reminders that a person got today for the requests of one requester."""
    r = ApprovalReminder
    query = select(func.count()).select_from(r).join(Approval, Approval.id == r.approval_id)
    query = query.where(
        Approval.requested_by == requested_by, r.person_id == person_id, r.sent_on == clock.today()
    )
    return session().scalar(query) or 0


def _rule(approval: Approval) -> ApprovalRequest:
    """Return the rule of two people for this approval.

    It excludes the requesters, the person it is about, and those who approved it already.
    """
    every, kind = given(approval), kinds.named(approval.kind)
    return ApprovalRequest(
        [*approval.excluded, *(each.person_id for each in every)],
        approval.requested_at,
        own=_own(approval, every),
        roles=kind.permission.roles if kind else approval.roles,
    )


def _own(approval: Approval, every: Sequence[ApprovalGiven]) -> str:
    kind, me = kinds.named(approval.kind), current.person_id()
    if any(each.person_id == me for each in every):
        return LAPSED if me in lapsed(approval, every) else GAVE
    if kind is None:
        return OWN
    return kind.own if str(me) in approval.requesters else kind.own_subject
