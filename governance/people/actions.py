"""Signing in and out, inviting, changing and removing members, and the tenant's identity provider."""

import hashlib
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.audit import sealing
from governance.audit.record import record
from governance.audit.registry import action
from governance.kernel import clock, current, outbox, vault
from governance.kernel.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.people import sessions
from governance.people.models import Connection, Invitation, Membership, Person, Session, SignIn, person_key
from governance.people.oidc import Identity, Provider, TokenRefused

SIGNED_IN = action("session.started", "signed in", fields="via browser fresh", personal="name email")
SIGN_IN_REFUSED = action("session.refused", "was refused at sign-in", fields="reason", personal="email")
SIGNED_OUT = action("session.ended", "ended a session", fields="how")
JOINED = action("membership.started", "joined", fields="role via", personal="name email")
ROLE_CHANGED = action("membership.role.changed", "changed the role of a member", fields="role")
REMOVED = action("membership.ended", "removed a member", fields="role")
INVITED = action("invitation.sent", "invited a member", fields="role", personal="email")
WITHDRAWN = action("invitation.withdrawn", "withdrew an invitation", fields="role", personal="email")
CONNECTED = action("connection.changed", "changed how people sign in", fields="issuer client_id secret enforced group_roles")
TESTED = action("connection.tested", "tested the identity provider", fields="passed failed")

SIGN_IN_MINUTES = 10
INVITATION_DAYS = 14


class NoMembership(Forbidden):
    """The provider vouches for the person, and the tenant has not let him in."""


class LastAdmin(DomainError):
    pass


class AlreadyMember(DomainError):
    pass


def begin_sign_in(connection: Connection, *, slug: str, browser: str, next_path: str, fresh: bool) -> tuple[SignIn, str]:
    """Remember a sign-in under way; returns it and its state (`<tenant>.<random>`)."""
    state = f"{slug}.{secrets.token_urlsafe(32)}"
    under_way = SignIn(
        connection_id=connection.id, state_hash=_hash(state), browser_hash=_hash(browser), nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48), next_path=next_path, fresh=fresh, used_at=None, created_at=clock.now(),
    )  # fmt: skip
    session().add(under_way)
    session().flush()
    return under_way, state


def take_sign_in(state: str, browser: str) -> SignIn:
    """The sign-in that this state belongs to, once, and only in the browser that began it."""
    query = select(SignIn).where(SignIn.state_hash == _hash(state)).with_for_update()
    found = session().scalars(query).one_or_none()
    if found is None or found.browser_hash != _hash(browser):
        raise TokenRefused("This answer does not belong to a sign-in that this browser began.")
    if found.used_at is not None:
        raise TokenRefused("This sign-in was already used. Begin again from the sign-in page.")
    if clock.now() - found.created_at > timedelta(minutes=SIGN_IN_MINUTES):
        raise TokenRefused("This sign-in took longer than ten minutes. Begin again from the sign-in page.")
    found.used_at = clock.now()
    return found


def arrive(identity: Identity) -> Person:
    """The person behind an identity, made or brought up to date; needs a transaction with person_id set."""
    key = person_key(identity.issuer, identity.subject)
    person = session().get(Person, key)
    if person is None:
        person = Person(id=key, issuer=identity.issuer, subject=identity.subject, email=identity.email, name=identity.name)
        session().add(person)
    else:
        person.email, person.name = identity.email or person.email, identity.name or person.name
    session().flush()
    return person


def admit(person: Person, identity: Identity, connection: Connection) -> Membership:
    """The person's membership: the one he has, or one by invitation or group mapping; never by claim alone."""
    held = session().scalars(select(Membership).where(Membership.person_id == person.id)).one_or_none()
    mapped = role_by_groups(connection, identity.groups)
    if held is not None and held.ended_at is None:
        if held.via == "group mapping" and mapped and mapped != held.role:
            record(ROLE_CHANGED, held, before={"role": held.role}, after={"role": mapped})
            held.role = mapped
        return held
    role, via = _invited(identity) or (mapped, "group mapping")
    if role is None:
        raise NoMembership("Your company vouches for you, but you have no place here yet. Ask a tenant admin to invite you.")
    return join(person, role, via=via)


def role_by_groups(connection: Connection, groups: tuple[str, ...]) -> str | None:
    """The strongest role that the tenant maps one of these groups to."""
    mapped = {connection.group_roles[g] for g in groups if g in connection.group_roles}
    return next((role for role in (*TENANT_ROLES, *OPERATOR_ROLES) if role in mapped), None)


def _invited(identity: Identity) -> tuple[str, str] | None:
    if not identity.email_verified:
        return None
    query = select(Invitation).where(Invitation.email == identity.email, Invitation.accepted_at.is_(None))
    invitation = session().scalars(query.where(Invitation.withdrawn_at.is_(None), Invitation.expires_at > clock.now())).one_or_none()
    if invitation is None:
        return None
    invitation.accepted_at = clock.now()
    return invitation.role, "invitation"


def join(person: Person, role: str, *, via: str) -> Membership:
    """Make (or revive) the membership of a person."""
    membership = session().scalars(select(Membership).where(Membership.person_id == person.id)).one_or_none()
    if membership is None:
        membership = Membership(person_id=person.id, role=role, pseudonym=sealing.pseudonym(person.id), via=via, ended_at=None)
        session().add(membership)
    membership.role, membership.via, membership.ended_at = role, via, None
    session().flush()
    record(JOINED, membership, about=person.id, role=role, via=via, name=person.name, email=person.email)
    return membership


def start_session(person: Person, identity: Identity, *, token: str, browser: str, network: str, fresh: bool, replaces: UUID | None) -> Session:
    """A new session with a new token (no fixation); the one it replaces ends."""
    if replaces is not None and (old := session().get(Session, (current.actor().tenant_id, replaces))):
        old.ended_at = clock.now()
    started = Session(
        token_hash=sessions.token_hash(token), person_id=person.id, issuer=identity.issuer, idp_sid=identity.sid,
        id_token=vault.wrap(identity.id_token.encode(), b"id-token"), authenticated_at=datetime.fromtimestamp(identity.authenticated_at, UTC),
        seen_at=clock.now(), expires_at=clock.now() + sessions.ABSOLUTE, ended_at=None, browser=browser[:120], network=network,
    )  # fmt: skip
    session().add(started)
    session().flush()
    record(SIGNED_IN, started, via="oidc", browser=browser[:120], fresh=fresh, name=person.name, email=person.email)
    return started


def refuse_sign_in(person: Person, *, reason: str) -> None:
    """The attempt is in the tenant's log, whatever came of it."""
    record(SIGN_IN_REFUSED, person, outcome="refused", reason=reason, email=person.email)


def end_session(row: Session, *, how: str) -> None:
    """Ended twice is ended once."""
    if row.ended_at is None:
        row.ended_at = clock.now()
        record(SIGNED_OUT, row, how=how)


def end_sessions_of(person_id: UUID, *, how: str) -> int:
    rows = session().scalars(select(Session).where(Session.person_id == person_id, Session.ended_at.is_(None))).all()
    for row in rows:
        end_session(row, how=how)  # record() is in there
    return len(rows)


def end_sessions_at_provider(subject_id: UUID | None, sid: str | None) -> int:
    """Back-channel logout: the provider says that this person, or that session of his, is over."""
    query = select(Session).where(Session.ended_at.is_(None))
    query = query.where(Session.idp_sid == sid) if sid else query.where(Session.person_id == subject_id)
    rows = session().scalars(query).all()
    for row in rows:
        end_session(row, how="the identity provider signed the person out")  # record() is in there
    return len(rows)


def invite(email: str, role: str, *, tenant_name: str, link: str) -> Invitation:
    """Invite an address; the mail leaves after the commit."""
    email = email.strip().lower()
    _may_have(role)
    there = select(Membership.id).join(Person).where(Person.email == email, Membership.ended_at.is_(None))
    if session().scalar(there):
        raise AlreadyMember(f"{email} is a member already.", field="email")
    invitation = Invitation(
        email=email, role=role, invited_by=current.person_id(), expires_at=clock.now() + timedelta(days=INVITATION_DAYS),
        accepted_at=None, withdrawn_at=None,
    )  # fmt: skip
    session().add(invitation)
    record(INVITED, invitation, role=role, email=email)
    outbox.send_mail(email, f"Join {tenant_name} in the console", (
        f"{current.actor().name} invites you to {tenant_name} as {ROLE_NAMES[role].lower()}.\n\n"
        f"Sign in with your company: {link}\n\nThe invitation ends in {INVITATION_DAYS} days.\n"
    ))  # fmt: skip
    return invitation


def withdraw(invitation: Invitation) -> None:
    if invitation.accepted_at or invitation.withdrawn_at:
        raise DomainError("That invitation is no longer open.")
    invitation.withdrawn_at = clock.now()
    record(WITHDRAWN, invitation, role=invitation.role, email=invitation.email)


def change_role(membership: Membership, role: str) -> None:
    """Effective on the person's next request: roles are read each time."""
    _may_have(role)
    if membership.role == role:
        return
    _not_the_last_admin(membership, losing="admin" in membership.role)
    before = {"role": membership.role}
    membership.role, membership.via = role, "set by an admin"
    record(ROLE_CHANGED, membership, before=before, after={"role": role})


def remove(membership: Membership) -> None:
    """End the membership and every session of the person in this tenant, at once."""
    if membership.ended_at is not None:
        return
    _not_the_last_admin(membership, losing="admin" in membership.role)
    membership.ended_at = clock.now()
    end_sessions_of(membership.person_id, how="the member was removed")
    record(REMOVED, membership, role=membership.role)


def _may_have(role: str) -> None:
    fitting = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if role not in fitting or role == "auditor":
        raise Invalid("That role is not one that can be given here.", field="role")


def _not_the_last_admin(membership: Membership, *, losing: bool) -> None:
    if not losing:
        return
    query = select(Membership).where(Membership.role == membership.role, Membership.ended_at.is_(None))
    admins = session().scalars(query.with_for_update(of=Membership)).all()
    if len(admins) <= 1:
        raise LastAdmin(f"{membership.person.name} is the only {ROLE_NAMES[membership.role].lower()}. Make somebody else one first.", field="role")


def connect(*, issuer: str, client_id: str, secret: str | None, enforced: bool, group_roles: Mapping[str, str], version: int | None) -> Connection:
    """Set the tenant's connection. A blank secret keeps the one that is held; a stale form is refused."""
    row = session().scalars(select(Connection).order_by(Connection.created_at).limit(1).with_for_update()).one_or_none()
    roles = TENANT_ROLES if not current.actor().role.startswith("operator") else OPERATOR_ROLES
    if bad := sorted(set(group_roles.values()) - set(roles) | {r for r in group_roles.values() if r == "auditor"}):
        raise Invalid(f"{bad[0]} is not a role that a group can give.", field="group_roles")
    after = {"issuer": issuer, "client_id": client_id, "enforced": enforced, "group_roles": dict(group_roles)}
    if row is None:
        if not secret:
            raise Invalid("A first connection needs the client secret.", field="secret")
        row = Connection(**after, secret=seal_secret(secret), tested_at=None, findings=[])
        session().add(row)
        record(CONNECTED, row, after=after, secret="set")
        return row
    if version is not None and version != row.version:
        raise Stale("Somebody else changed the connection since you opened this page.",
                    {name: (None, getattr(row, name)) for name in after if getattr(row, name) != after[name]})  # fmt: skip
    before = {name: getattr(row, name) for name in after}
    for name, value in after.items():
        setattr(row, name, value)
    if secret:
        row.secret = seal_secret(secret)
    row.version, row.tested_at, row.findings = row.version + 1, None, []
    record(CONNECTED, row, before=before, after=after, secret="replaced" if secret else None)
    return row


def note_test(connection: Connection, steps: list[dict[str, Any]]) -> None:
    connection.tested_at, connection.findings = clock.now(), steps
    passed = sum(bool(step["ok"]) for step in steps)
    record(TESTED, connection, passed=passed, failed=len(steps) - passed)


def seal_secret(secret: str) -> bytes:
    return vault.wrap(secret.encode(), b"client-secret" + current.actor().tenant_id.bytes)


def provider(connection: Connection, redirect_uri: str, tenant_id: UUID) -> Provider:
    secret = vault.unwrap(connection.secret, b"client-secret" + tenant_id.bytes).decode()
    return Provider(connection.issuer, connection.client_id, secret, redirect_uri)


def forget_old_sign_ins() -> None:
    """A nightly sweep of sign-ins that nobody finished; nothing of a person is in them, so no entry."""
    old = clock.now() - timedelta(days=1)
    session().execute(SignIn.__table__.delete().where(SignIn.__table__.c.created_at < old))  # type: ignore[attr-defined]


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
