"""Reads of members, names, sessions, and of an object's timeline.

Names are as the reader may see them.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit import queries as audit
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Action, Shape, registry, shape_of
from governance.foundation.people import aliases, known_people, permissions
from governance.foundation.people.models import (
    ERASED,
    Connection,
    Invitation,
    Membership,
    Person,
    Session,
)
from governance.foundation.people.ports import outsider_names
from governance.foundation.people.sessions import IDLE_TIMEOUT
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.safety.access import allowed


@dataclass(frozen=True, slots=True)
class Member:
    person_id: UUID
    name: str
    email: str
    role: str
    membership_id: UUID
    via: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a timeline."""

    at: datetime
    who: str
    says: str
    action: str
    target_type: str
    target_id: UUID
    changes: dict[str, Any]
    facts: dict[str, Any]
    reason: str | None
    kind: str
    entry_id: UUID
    origin: str  # The IP address that it came from.

    @property
    def shape(self) -> Shape:
        return shape_of(self.action, self.facts)


def members() -> list[Member]:
    """Return all current members, by name."""
    known = known_people.known()
    if known is None or not known.are_all:
        m = Membership
        query = (
            select(m.person_id, Person.name, Person.email, m.role, m.id, m.via, m.created_at)
            .join(Person, Person.id == m.person_id)
            .where(m.ended_at.is_(None))
            .order_by(Person.name)
        )
        return [Member(*row) for row in session().execute(query)]
    return [
        Member(m.person_id, m.name, m.email, m.role, m.membership_id, m.via, m.created_at)
        for m in known.members()
    ]


def names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these people as this reader sees them, including former members.

    Each is a name, or role and letter. Takes one statement, or none if they are cached.
    """
    return aliases.shown_names(ids)


def choices() -> list[tuple[UUID, str]]:
    """Return (person id, name as this reader sees it) of each member, for a form's owner field."""
    return choices_of(members())


def choices_of(some: Iterable[Member]) -> list[tuple[UUID, str]]:
    """Return the same of these members by name, or in the order of their letters."""
    if aliases.has_unlimited_names():
        return [(each.person_id, each.name) for each in some]
    called = names(each.person_id for each in some)
    return sorted(called.items(), key=lambda each: each[1])


def membership(membership_id: UUID) -> Membership:
    """Return a current member. Raises NotFound for a removed one."""
    found = find(Membership, membership_id, what="member")
    if found.ended_at is not None:
        raise NotFound("This person isn't a member of this tenant.")
    return found


def everyone(*, limit: int) -> Sequence[Membership]:
    """Return members and former members, by name, except those who were erased."""
    query = select(Membership).where(Membership.via != ERASED).join(Person)
    return (
        session()
        .scalars(query.order_by(Membership.ended_at.is_not(None), Person.name).limit(limit))
        .all()
    )


def any_membership(membership_id: UUID) -> Membership | None:
    """Return a member or former member."""
    return session().scalars(select(Membership).where(Membership.id == membership_id)).one_or_none()


def by_pseudonym(pseudonym: str) -> Membership | None:
    """Return the membership of a pseudonym of the log; None if the person was erased."""
    return (
        session().scalars(select(Membership).where(Membership.pseudonym == pseudonym)).one_or_none()
    )


def by_pseudonyms(pseudonyms: Collection[str]) -> Sequence[Membership]:
    return session().scalars(select(Membership).where(Membership.pseudonym.in_(pseudonyms))).all()


def membership_of(person_id: UUID) -> Membership | None:
    query = select(Membership).where(
        Membership.person_id == person_id, Membership.ended_at.is_(None)
    )
    return session().scalars(query).one_or_none()


def role_of(person_id: UUID) -> str | None:
    """Return the role of a member; None for anyone else. No statement if people are cached."""
    known = known_people.known()
    found = known.by_key["person_id"].get(person_id) if known else None
    member = found if found or (known and known.are_all) else membership_of(person_id)
    return member.role if member and member.ended_at is None else None


def any_membership_of(person_id: UUID) -> Membership | None:
    """Return the membership that they have or had."""
    return (
        session().scalars(select(Membership).where(Membership.person_id == person_id)).one_or_none()
    )


def members_at_address(email: str) -> Sequence[Membership]:
    """Return the current members with this address.

    One human may be several persons, each vouched for by another issuer.
    """
    query = (
        select(Membership)
        .join(Person)
        .where(func.lower(Person.email) == email.lower(), Membership.ended_at.is_(None))
    )
    return session().scalars(query.order_by(Membership.created_at)).all()


def tenants_of_person() -> Sequence[tuple[str, str, str]]:
    """Return (slug, name, role) of each tenant that the person is a member of.

    Needs a transaction with person_id set. This is the one read that crosses tenants, and the
    policy `own_memberships` allows just that. It uses Core, since the session's own filter would
    narrow it to the current tenant.
    """
    m, t = Membership.__table__, Tenant.__table__
    query = (
        select(t.c.slug, t.c.name, m.c.role)
        .join(m, m.c.tenant_id == t.c.id)
        .where(m.c.ended_at.is_(None))
    )
    rows = session().execute(query.where(m.c.person_id == current.person_id()).order_by(t.c.name))
    return [(r.slug, r.name, r.role) for r in rows]


def open_invitations() -> Sequence[Invitation]:
    query = select(Invitation).where(
        Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None)
    )
    return session().scalars(query.order_by(Invitation.email)).all()


def invitations_to(email: str) -> Any:
    """Return the invitation to an address that nobody accepted or withdrew, expired or not."""
    query = select(Invitation).where(Invitation.email == email)
    return query.where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))


def invitation(invitation_id: UUID) -> Invitation:
    """Return an invitation to change: locked, since its owner may be accepting it just now."""
    return find(Invitation, invitation_id, what="invitation", lock=True)


def connection() -> Connection | None:
    """Return the connection that the tenant's people sign in through now."""
    return session().scalars(select(Connection).where(Connection.state == "live")).one_or_none()


def lock_if_live(connection_id: UUID) -> bool:
    """Return whether this is the live connection; it then stays live until the transaction ends."""
    query = select(Connection.id).where(Connection.id == connection_id, Connection.state == "live")
    return session().scalars(query.with_for_update(read=True)).one_or_none() is not None


def connection_row(connection_id: UUID | None) -> Connection | None:
    """Return a live, proposed or former connection."""
    return (
        session().scalars(select(Connection).where(Connection.id == connection_id)).one_or_none()
        if connection_id
        else None
    )


def connections() -> Sequence[Connection]:
    return (
        session()
        .scalars(select(Connection).order_by(Connection.number, Connection.created_at))
        .all()
    )


def has_signed_in() -> bool:
    """Return whether anybody has ever been a member, and so has signed in."""
    return session().scalar(select(Membership.id).limit(1)) is not None


class LiveSession(NamedTuple):
    """A session that is still valid, as lists show it."""

    id: UUID
    person_id: UUID
    issuer: str
    browser: str
    network: str
    created_at: datetime
    seen_at: datetime


def live_sessions(person_id: UUID | None = None) -> Sequence[LiveSession]:
    """Return the valid sessions: not ended, and neither idle nor too old."""
    now = clock.now()
    query = (
        select(*(getattr(Session, name) for name in LiveSession._fields))
        .where(
            Session.ended_at.is_(None),
            Session.expires_at > now,
            Session.seen_at > now - IDLE_TIMEOUT,
        )
        .order_by(Session.seen_at.desc())
    )
    if person_id is not None:
        query = query.where(Session.person_id == person_id)
    return [LiveSession._make(row) for row in session().execute(query)]


def session_row(session_id: UUID) -> Session:
    return find(Session, session_id, what="session")


def timeline(
    ids: Collection[UUID], *, limit: int = 30, without: Collection[str] = ()
) -> list[Moment]:
    """Return what happened to these objects, newest first.

    Auditors see pseudonyms and no encrypted reasons.
    """
    return _moments(audit.entries_about(ids, limit=limit, without=without))


def last_actor(target_id: UUID, *actions: Action) -> str:
    """Return who did the newest of these actions on an object, named as this reader may see it."""
    query = select(AuditEntry).where(
        AuditEntry.target_id == target_id, AuditEntry.action.in_([each.name for each in actions])
    )
    found = (
        session().scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(1)).all()
    )
    return next((moment.who for moment in _moments(found)), "someone else")


def newest(*, limit: int = 12) -> list[Moment]:
    return _moments(audit.newest(limit=limit))


def moments(entries: Sequence[AuditEntry]) -> list[Moment]:
    """Return these entries as lines of a timeline, in their order, as this reader may see them."""
    return _moments(entries)


def _moments(entries: Sequence[AuditEntry]) -> list[Moment]:
    named = allowed(permissions.NAMES)
    known = _names_of_actors(entries, named=named)
    if named:
        reasons = (entry.sealed.get("reason") for entry in entries)
        personal_field_encryption.read_keys(each for each in reasons if each)
    return [_moment(entry, known, named=named) for entry in entries]


def _names_of_actors(entries: Sequence[AuditEntry], *, named: bool) -> dict[str, str]:
    """Return names of members and former members; operators need a statement of their own."""
    known = aliases.names_by_pseudonym({e.actor for e in entries})
    operators = {e.actor for e in entries if e.actor_kind == "operator"} - known.keys()
    return known | outsider_names()(operators) if operators and named else known


def _moment(entry: AuditEntry, known: dict[str, str], *, named: bool) -> Moment:
    kind = {"api_key": "key", "operator": "operator"}.get(entry.actor_kind, "person")
    who = (
        "Meridian"
        if entry.actor_kind == "job"
        else known.get(entry.actor, f"{kind} {entry.actor[:8]}")
    )
    reason = entry.sealed.get("reason")
    declared = registry.get(entry.action)
    return Moment(
        at=entry.at,
        who=who,
        says=declared.says if declared else entry.action,
        action=entry.action,
        target_type=entry.target_type,
        target_id=entry.target_id,
        changes=entry.changes,
        facts=entry.facts,
        reason=personal_field_encryption.unseal("reason", reason) if reason and named else None,
        kind=entry.actor_kind,
        entry_id=entry.id,
        origin=entry.origin,
    )
