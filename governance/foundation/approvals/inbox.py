"""What awaits the acting person's approval: one select over every kind, and the rule as a condition on its rows.

awaiting()     rows of (id, kind, summary, requested_by, reason, requested_at, expires_at)
count(kinds)   how many of these kinds
"""

from collections.abc import Collection
from typing import Any

from sqlalchemy import String, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB

from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.foundation.people.models import Membership, Person
from governance.kernel import clock, current
from governance.kernel.access import allowed
from governance.kernel.db import session


def awaiting() -> Any:
    """Open approvals that the acting person may give, oldest first where the caller orders by requested_at."""
    a = Approval
    columns = (a.id, a.kind, a.summary, a.requested_by, a.reason, a.requested_at, a.expires_at)
    return select(*columns).where(a.tenant_id == current.actor().tenant_id, may_be_given())


def count(names: Collection[str]) -> int:
    """How many approvals of these kinds await the acting person."""
    query = select(func.count()).select_from(Approval).where(Approval.kind.in_(names), may_be_given())
    return session().scalar(query) or 0


def may_be_given() -> Any:
    """The rule of two people as a condition on approvals, for the acting person; its parts are evaluated once a statement."""
    a, me = Approval, current.person_id()
    mine = select(Membership.role_since).where(Membership.person_id == me, Membership.ended_at.is_(None)).scalar_subquery()
    address = select(func.lower(Person.email)).where(Person.id == me).scalar_subquery()
    same = (
        select(Membership.person_id)
        .join(Person)
        .where(or_(Person.id == me, (func.lower(Person.email) == address) & (Person.email != "")))
    )
    excluded = func.jsonb_array_elements_text(a.excluded).table_valued("value")
    mine_is_excluded = exists(
        select(1).select_from(excluded).where(excluded.c.value.in_(select(cast(same.subquery().c.person_id, String))))
    )
    gave = exists(select(1).where(ApprovalGiven.approval_id == a.id, ApprovalGiven.person_id.in_(same)))
    named = or_(a.approvers == cast([], JSONB), a.approvers.contains([str(me)]))
    return (
        (a.state == "open") & a.is_ready & or_(a.expires_at.is_(None), a.expires_at > clock.now())
        & _decides() & named & (a.requested_at >= mine) & ~mine_is_excluded & ~gave
    )  # fmt: skip


def _decides() -> Any:
    """Of kinds that are gone, whoever decided them is asked to close what is left."""
    every = kinds.all_kinds()
    known, gone = [k.name for k in every if allowed(k.permission)], Approval.kind.not_in([k.name for k in every])
    return Approval.kind.in_(known) | (gone & Approval.roles.contains([current.actor().role]))
