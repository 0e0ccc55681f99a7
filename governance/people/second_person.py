"""Who may be the second person: one rule for everything that two people decide.

check(requesters, at)              refuses with the reason
why_not(requesters, at)            the reason, or None: a page shows it instead of the button
may_approve(requester, at)         the same rule as a condition on rows, for lists

Two accounts of one human are one person, and nobody becomes a second person after a request was made. So the approver
is another member than every requester, has another e-mail address, and had the present role when the request was made.
Judging somebody else's work (a review of evidence, a sign-off) is no approval of a request: new colleagues may do it,
so it is checked without a time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import false, func, select

from governance.kernel import current
from governance.kernel.access import Permission
from governance.kernel.db import session
from governance.kernel.errors import Forbidden
from governance.people.models import Membership, Person

OWN = "You requested this yourself. Another person decides."
SAME_ADDRESS = "You have the same e-mail address as the person who requested this, so you can't approve it. Ask another person."
JOINED = "You joined after this request was made, so you can't approve it. Ask someone who was already a member."
NEW_ROLE = "You got your role after this request was made, so you can't approve it. Ask someone who already had theirs."
NO_MEMBER = "You aren't a member here, so you can't approve this."

Requesters = Iterable[UUID | str | None]


def check(requesters: Requesters, requested_at: datetime | None, *, own: str = OWN) -> None:
    """Raise Forbidden unless the acting person may approve what these people requested at that time.

    `own` is the sentence for somebody who is one of the requesters.
    """
    if (why := why_not(requesters, requested_at, own=own)) is not None:
        raise Forbidden(why)


def why_not(requesters: Requesters, requested_at: datetime | None, *, own: str = OWN) -> str | None:
    """Why the acting person may not approve it, as a sentence; None where they may."""
    ids = _ids(requesters)
    if current.person_id() in ids:
        return own
    mine = session().scalars(select(Membership).where(Membership.person_id == current.person_id())).one_or_none()
    return NO_MEMBER if mine is None else _why_not(mine, ids, _addresses(ids), requested_at, own)


def candidates(permission: Permission, requesters: Requesters, requested_at: datetime | None) -> Sequence[Membership]:
    """The members who hold the permission and may approve it, by name."""
    ids = _ids(requesters)
    addresses = _addresses(ids)
    query = select(Membership).where(Membership.ended_at.is_(None), Membership.role.in_(permission.roles))
    members = session().scalars(query.join(Person).order_by(Person.name)).all()
    return [m for m in members if _why_not(m, ids, addresses, requested_at, OWN) is None]


def may_approve(requester: Any, requested_at: Any) -> Any:
    """The rule as an SQL condition on two columns, for the acting person; its parts are evaluated once a statement."""
    me = current.person_id()
    since = select(Membership.role_since).where(Membership.person_id == me, Membership.ended_at.is_(None)).scalar_subquery()
    address = select(func.lower(Person.email)).where(Person.id == me).scalar_subquery()
    same = select(Membership.person_id).join(Person).where(func.lower(Person.email) == address, Person.email != "")
    return requester.is_distinct_from(me) & (requester.is_(None) | requester.not_in(same)) & (requested_at >= since)


def _ids(requesters: Requesters) -> set[UUID]:
    return {each if isinstance(each, UUID) else UUID(each) for each in requesters if each}


def _addresses(ids: set[UUID]) -> set[str]:
    query = select(Person.email).where(Person.id.in_(ids) if ids else false())
    return {email.lower() for email in session().scalars(query)} - {""}


def _why_not(mine: Membership, ids: set[UUID], addresses: set[str], at: datetime | None, own: str) -> str | None:
    if mine.person_id in ids:
        return own
    if mine.ended_at is not None:
        return NO_MEMBER
    if mine.person.email.lower() in addresses:
        return SAME_ADDRESS
    if at is not None and mine.created_at > at:
        return JOINED
    return NEW_ROLE if at is not None and mine.role_since > at else None
