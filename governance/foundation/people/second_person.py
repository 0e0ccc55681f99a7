"""The second approver: one rule for everything that two people decide.

    ApprovalRequest(requesters, at).check()             raises Forbidden with the reason
    ApprovalRequest(requesters, at).why_not()           the reason, or None: a page shows it instead
                                                        of the button
    ApprovalRequest(requesters, at).check_rejection()   another person rejects, however new they are
    ApprovalRequest(requesters, at).candidates(…)       who may approve it

Two accounts of one human are one person, and nobody becomes a second person after a request was
made: the approver is another member than every requester, has another email address, and had the
current role when the request was made. Inviting somebody takes one person, so a member who got
their role within NEW_FOR approves nothing while a longer-standing member can. Reviewing somebody
else's work (a review of evidence, a sign-off) is no approval of a request, and new colleagues may
do it: those permissions have conditions of their own (`own_accounts`).
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.foundation.people.models import Membership, Person
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from governance.kernel.safety.access import ROLE_NAMES, Permission

OWN = "You requested this yourself, so another person must decide."
SAME_ADDRESS = (
    "You have the same email address as the requester, so you can't approve this. Ask another"
    " person."
)
JOINED = (
    "You joined after this request was made, so you can't approve it. Ask someone who was already a"
    " member."
)
NEW_ROLE = (
    "You got your role after this request was made, so you can't approve it. Ask someone who"
    " already had theirs."
)
NEW_FOR = timedelta(hours=24)
NOT_A_MEMBER = "You aren't a member here, so you can't approve this."


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A request that another person decides.

    `requesters` are ids, also as text; None is nobody. `at` is when it was made. `own` is the
    sentence for a requester who tries to approve it, `roles` are those that may approve it.
    """

    requesters: Iterable[UUID | str | None]
    at: datetime | None
    own: str = OWN
    roles: Collection[str] = ()

    def check(self) -> None:
        """Raise Forbidden unless the acting person may approve it."""
        if (why := self.why_not()) is not None:
            raise Forbidden(why)

    def check_rejection(self) -> None:
        """Raise Forbidden for a requester.

        Rejecting gives nobody anything, so anyone else may, however new they are.
        """
        if current.person_id() in _ids(self.requesters):
            raise Forbidden(self.own)

    def why_not(self) -> str | None:
        """Return why the acting person may not approve it, as a sentence; None where they may."""
        ids = _ids(self.requesters)
        if current.person_id() in ids:
            return self.own
        mine = (
            session()
            .scalars(select(Membership).where(Membership.person_id == current.person_id()))
            .one_or_none()
        )
        if mine is None:
            return NOT_A_MEMBER
        why = self._why_not(mine, ids, _addresses(frozenset(ids)))
        if why is None and _is_new(mine) and not all(map(_is_new, self._able(self.roles))):
            return _too_new(mine)
        return why

    def candidates(self, permission: Permission) -> Sequence[Membership]:
        """Return the members who have the permission and may approve it, by name.

        New ones are included only if there are no others.
        """
        able = self._able(permission.roles)
        return [each for each in able if not _is_new(each)] or able

    def _able(self, roles: Collection[str]) -> Sequence[Membership]:
        """Return the members in these roles who may approve it, however new they are."""
        ids = _ids(self.requesters)
        addresses = _addresses(frozenset(ids))
        query = select(Membership).where(Membership.ended_at.is_(None), Membership.role.in_(roles))
        members = session().scalars(query.join(Person).order_by(Person.name)).all()
        return [m for m in members if self._why_not(m, ids, addresses) is None]

    def _why_not(self, mine: Membership, ids: set[UUID], addresses: set[str]) -> str | None:
        if mine.person_id in ids:
            return self.own
        if mine.ended_at is not None:
            return NOT_A_MEMBER
        if mine.person.email.lower() in addresses:
            return SAME_ADDRESS
        if self.at is None or mine.role_since <= self.at:
            return None
        return JOINED if mine.created_at > self.at else NEW_ROLE


def _is_new(member: Membership) -> bool:
    return member.role_since > clock.now() - NEW_FOR


def _too_new(member: Membership) -> str:
    role = ROLE_NAMES[member.role].lower()
    since = formatting.moment(member.role_since)
    until = formatting.moment(member.role_since + NEW_FOR)
    return (
        f"You got the role of {role} on {since}. You can approve from {until}; until then, ask"
        " someone who has had theirs for a day."
    )


def _ids(given: Iterable[UUID | str | None]) -> set[UUID]:
    return {each if isinstance(each, UUID) else UUID(each) for each in given if each}


def _addresses(ids: frozenset[UUID]) -> set[str]:
    if not ids:
        return set()
    return {
        email.lower() for email in session().scalars(select(Person.email).where(Person.id.in_(ids)))
    } - {""}
