"""Inbox items of approvals: one source over every kind, and the rule as a condition on rows."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    DateTime,
    Interval,
    Select,
    String,
    and_,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from governance.foundation.approvals import kinds, permissions
from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.foundation.people.models import Membership, Person
from governance.foundation.people.second_person import NEW_FOR
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.work.inbox import (
    DONE_SINCE,
    ME,
    NOW,
    ROLE,
    InboxDone,
    InboxSource,
    item_select,
    requested,
)


def count(names: Collection[str]) -> int:
    """Count the approvals of these kinds that await the acting person."""
    who = current.actor()
    now = literal(clock.now(), DateTime(timezone=True))
    mine = may_be_given(me=who.person_id, role=literal(who.role), now=now)
    return (
        session().scalar(
            select(func.count()).select_from(Approval).where(Approval.kind.in_(names), mine)
        )
        or 0
    )


def may_be_given(*, me: Any, role: Any, now: Any) -> Any:
    """Return the rule of two people as an SQL condition, for a person in that role.

    Its subqueries run once per statement.
    """
    a = Approval
    mine = (
        select(Membership.role_since)
        .where(Membership.person_id == me, Membership.ended_at.is_(None))
        .scalar_subquery()
    )
    address = select(func.lower(Person.email)).where(Person.id == me).scalar_subquery()
    same = (
        select(Membership.person_id)
        .join(Person)
        .where(or_(Person.id == me, (func.lower(Person.email) == address) & (Person.email != "")))
    )
    excluded = func.jsonb_array_elements_text(a.excluded).table_valued("value")
    mine_is_excluded = exists(
        select(1)
        .select_from(excluded)
        .where(excluded.c.value.in_(select(cast(same.subquery().c.person_id, String))))
    )
    gave = exists(
        select(1).where(ApprovalGiven.approval_id == a.id, ApprovalGiven.person_id.in_(same))
    )
    named = or_(a.approvers == cast([], JSONB), contains(a.approvers, cast(me, String)))
    return (
        (a.state == "open")
        & a.is_ready
        & or_(a.expires_at.is_(None), a.expires_at > now)
        & decides(role)
        & named
        & (a.requested_at >= mine)
        & or_(mine <= now - literal(NEW_FOR, Interval()), ~_someone_else_could(now))
        & ~mine_is_excluded
        & ~gave
    )


def _someone_else_could(now: Any) -> Any:
    """Return the condition that a member may approve it who has had their role for NEW_FOR."""
    a, m, p, out = Approval, aliased(Membership), aliased(Person), aliased(Person)
    gave = select(ApprovalGiven.person_id).where(ApprovalGiven.approval_id == a.id).correlate(a)
    is_out = or_(contains(a.excluded, cast(out.id, String)), out.id.in_(gave))
    same_address = (func.lower(out.email) == func.lower(p.email)) & (out.email != "")
    return exists(
        select(1)
        .select_from(m)
        .join(p, p.id == m.person_id)
        .where(
            m.ended_at.is_(None),
            decides(m.role),
            m.role_since <= now - literal(NEW_FOR, Interval()),
            m.role_since <= a.requested_at,
            ~exists(
                select(1)
                .select_from(out)
                .where(is_out, or_(out.id == p.id, same_address))
                .correlate(a, p)
            ),
        )
        .correlate(a)
    )


def decides(role: Any) -> Any:
    """Return the condition that the role decides the kind, or used to if the kind is gone."""
    every = kinds.all_kinds()
    known = [
        and_(Approval.kind == kind.name, role.in_(sorted(kind.permission.roles))) for kind in every
    ]
    gone = Approval.kind.not_in([kind.name for kind in every]) & contains(Approval.roles, role)
    return or_(false(), *known, gone)


def contains(texts: Any, text: Any) -> Any:
    return texts.op("@>")(func.jsonb_build_array(text))


def _awaiting() -> Select[Any]:
    a = Approval
    query = item_select(
        a,
        about=a.summary,
        who=case(
            (a.kind.in_(kinds.kinds_from_outside()), "an operator"),
            else_=cast(a.requested_by, String),
        ),
        detail=a.reason,
        since=a.requested_at,
        due=a.expires_at,
    )
    return query.where(may_be_given(me=ME, role=ROLE, now=NOW))


def _decided() -> Select[Any]:
    """Select what they approved or rejected, one row per request."""
    a, g = Approval, ApprovalGiven
    rejected = (a.closed_by == ME) & (a.state == "rejected")
    at = func.coalesce(g.given_at, a.closed_at)
    detail = case((rejected, "You rejected this request"), else_="You approved this request")
    query = item_select(a, about=_sentence(a.summary), detail=detail, since=at)
    query = query.outerjoin(g, (g.approval_id == a.id) & (g.person_id == ME) & ~rejected)
    return query.where(g.id.is_not(None) | rejected, at > DONE_SINCE)


def _outcomes() -> Select[Any]:
    """Select how their own requests ended, unless they withdrew them."""
    a = Approval
    says = {
        "approved": "Your request was approved",
        "rejected": "Your request was rejected",
        "voided": "Your request is void because its content changed",
        "expired": "Your request expired",
    }
    query = item_select(
        a, about=_sentence(a.summary), detail=case(says, value=a.state), since=a.closed_at
    )
    return query.where(a.requested_by == ME, a.state.in_(says), a.closed_at > DONE_SINCE)


def _sentence(summary: Any) -> Any:
    return func.concat(func.upper(func.left(summary, 1)), func.substr(summary, 2))


DECIDED = InboxDone(
    name="approval",
    icon="user-check",
    select=_decided,
    endpoint="approvals.approval",
    values=lambda row: {"approval_id": row.id},
)
OUTCOME = InboxDone(
    name="approval-outcome",
    icon="send",
    select=_outcomes,
    endpoint="approvals.approval",
    values=lambda row: {"approval_id": row.id},
)
APPROVAL = InboxSource(
    name="approval",
    group="approvals",
    needs=permissions.DECIDE,
    select=_awaiting,
    icon="user-check",
    verb="Review",
    title=lambda row: f"Review the request to {row.about}",
    detail=requested,
    why="another person requested it, and you can approve it",
    endpoint="approvals.approval",
    values=lambda row: {"approval_id": row.id},
    done=(DECIDED, OUTCOME),
)
SOURCES = (APPROVAL,)
