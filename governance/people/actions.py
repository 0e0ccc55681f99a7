"""Signing in and out, inviting, changing and removing members, and the tenant's identity provider."""

import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import case, func, select, update

from governance.audit import queries as audit
from governance.audit import sealing
from governance.audit.record import record
from governance.audit.registry import action
from governance.kernel import clock, current, marks, outbox, vault
from governance.kernel.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.people import handshake, kept_forms, queries, sessions
from governance.people.models import (
    ERASED,
    ERASED_NAME,
    NAMESPACE,
    Connection,
    Invitation,
    Membership,
    Person,
    Session,
    person_key,
)
from governance.people.oidc import Identity
from governance.tenants.models import Tenant

SIGNED_IN = action("session.started", "signed in", fields="via browser fresh", personal="name email")
SIGN_IN_REFUSED = action("session.refused", "was refused at sign-in", fields="reason", personal="email")
SIGNED_OUT = action("session.ended", "ended a session", fields="how")
RENAMED = action("person.changed", "brought a member's name and address up to date", personal="name email")
JOINED = action("membership.started", "joined", fields="role via", personal="name email")
ROLE_CHANGED = action("membership.role.changed", "changed the role of a member", fields="role via")
REMOVED = action("membership.ended", "removed a member", fields="role")
INVITED = action("invitation.sent", "invited a member", fields="role", personal="email")
ACCEPTED = action("invitation.accepted", "accepted an invitation", fields="role", personal="email")
WITHDRAWN = action("invitation.withdrawn", "withdrew an invitation", fields="role how", personal="email")
CONNECTED = action("connection.changed", "changed how people sign in", fields="issuer client_id secret enforced group_roles")
TESTED = action("connection.tested", "tested the identity provider", fields="passed failed")

vault.holds(Session, "id_token", lambda _row: b"id-token")
vault.holds(Connection, "secret", lambda row: handshake.secret_context(row.tenant_id))
INVITATION_DAYS = 14
BY_GROUPS = "group mapping"
engaged: list[Callable[[str], str | None]] = []  # filled where the application is put together: address → why it is no member's


def forget_old_sign_ins() -> None:
    """Delete the sign-ins that nobody finished, and the forms that waited for one."""
    handshake.forget_old()
    kept_forms.forget_old()


class NoMembership(Forbidden):
    """The provider vouches for the person, and the tenant has not let him in."""


class LastAdmin(DomainError):
    pass


class AlreadyMember(DomainError):
    pass


# ---- signing in


def arrive(identity: Identity) -> Person:
    """The person behind an identity, made or brought up to date; needs a transaction with person_id set."""
    key = person_key(identity.issuer, identity.subject)
    person = session().get(Person, key)
    if person is None:
        person = Person(id=key, issuer=identity.issuer, subject=identity.subject, email=identity.email, name=identity.name)
        session().add(person)
        session().flush()
        return person
    before = {"name": person.name, "email": person.email}
    after = {"name": identity.name or person.name, "email": identity.email or person.email}
    if before != after:
        person.name, person.email = after["name"], after["email"]
        marks.renamed()
        record(RENAMED, person, about=person.id, before=before, after=after)
    return person


def admit(identity: Identity, connection: Connection) -> tuple[Person, Membership]:
    """The person and his membership: the one he has, or one by invitation or group mapping; never by claim alone.

    Who was removed comes back by an invitation only. Raises NoMembership, and then nothing was written.
    """
    held = queries.any_membership_of(person_key(identity.issuer, identity.subject))
    if held is not None and held.via == ERASED:
        raise NoMembership("This account was erased here, for good. Who comes back needs another account at the company.")
    mapped = _role_by_groups(connection, identity.groups)
    if held is not None and held.ended_at is None:
        membership = _by_today(held, mapped, connection)
        return arrive(identity), membership
    invitation = _invitation_for(identity)
    if invitation is not None:
        invitation.accepted_at, invitation.accepted_by = clock.now(), person_key(identity.issuer, identity.subject)
        record(ACCEPTED, invitation, about=_addressee(invitation.email), role=invitation.role, email=invitation.email)
        person = arrive(identity)
        return person, join(person, invitation.role, via="invitation")
    if mapped is None or held is not None:
        raise NoMembership("Your company vouches for you, but you have no place here yet. Ask a tenant admin to invite you.")
    if why := _engaged(identity.email):
        raise NoMembership(why)
    person = arrive(identity)
    return person, join(person, mapped, via=BY_GROUPS)


def _by_today(held: Membership, mapped: str | None, connection: Connection) -> Membership:
    """A membership that groups gave follows the groups, except that the last admin stays one."""
    if held.via != BY_GROUPS or mapped == held.role or not connection.group_roles or _is_last_admin(held):
        return held
    if mapped is None:
        raise NoMembership("None of your groups has a place here any more. Ask a tenant admin.")
    record(ROLE_CHANGED, held, before={"role": held.role}, after={"role": mapped}, via=BY_GROUPS)
    held.role = mapped
    return held


def _role_by_groups(connection: Connection, groups: Sequence[str]) -> str | None:
    """The strongest role that the tenant maps one of these groups to."""
    mapped = {connection.group_roles[g] for g in groups if g in connection.group_roles}
    return next((role for role in (*TENANT_ROLES, *OPERATOR_ROLES) if role in mapped), None)


def _invitation_for(identity: Identity) -> Invitation | None:
    if not identity.email_verified or not identity.email:
        return None
    query = _open_invitations(identity.email).where(Invitation.expires_at > clock.now())
    return session().scalars(query.with_for_update()).one_or_none()


def _open_invitations(email: str) -> Any:
    query = select(Invitation).where(Invitation.email == email)
    return query.where(Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None))


def join(person: Person, role: str, *, via: str) -> Membership:
    """Make (or revive) the membership of a person."""
    membership = queries.any_membership_of(person.id)
    if membership is None:
        membership = Membership(person_id=person.id, role=role, pseudonym=sealing.pseudonym(person.id), via=via, ended_at=None)
        session().add(membership)
    membership.role, membership.via, membership.ended_at = role, via, None
    session().flush()
    record(JOINED, membership, about=person.id, role=role, via=via, name=person.name, email=person.email)
    return membership


def start_session(
    person: Person,
    identity: Identity,
    *,
    token: str,
    browser: str,
    network: str,
    fresh: bool,
    replaces: UUID | None,
    via: str = "oidc",
) -> Session:
    """A new session with a new token (no fixation); the one it replaces ends. `via` is how the person proved who he is."""
    replaced = session().get(Session, (current.actor().tenant_id, replaces)) if replaces else None
    if replaced is not None:
        end_session(replaced, how="replaced by a new sign-in")
    started = Session(
        token_hash=sessions.token_hash(token), person_id=person.id, issuer=identity.issuer, idp_sid=identity.sid,
        id_token=vault.wrap(identity.id_token.encode(), b"id-token"), authenticated_at=datetime.fromtimestamp(identity.authenticated_at, UTC),
        seen_at=clock.now(), expires_at=clock.now() + sessions.ABSOLUTE, ended_at=None, browser=browser[:120], network=network,
        created_at=clock.now(),
    )  # fmt: skip
    session().add(started)
    session().flush()
    if replaced is not None:
        kept_forms.hand_over(replaced, started)
    record(SIGNED_IN, started, via=via, browser=browser[:120], fresh=fresh, name=person.name, email=person.email)
    return started


def refuse_sign_in(identity: Identity, *, reason: str) -> None:
    """The attempt is in the tenant's log, whatever came of it; the person himself is not kept."""
    person_id = person_key(identity.issuer, identity.subject)
    nobody = Person(id=person_id, issuer=identity.issuer, subject=identity.subject, email=identity.email, name=identity.name)
    record(SIGN_IN_REFUSED, nobody, about=person_id, outcome="refused", reason=reason, email=identity.email)


def refuse_step_up(row: Session, *, reason: str) -> None:
    """Somebody who is signed in sent an answer that proves nothing: the session stays what it was, and the log tells."""
    record(SIGN_IN_REFUSED, row, outcome="refused", reason=reason)


def end_session(row: Session, *, how: str) -> None:
    """Ended twice is ended once."""
    if row.ended_at is None:
        row.ended_at = clock.now()
        record(SIGNED_OUT, row, how=how)


def end_sessions_of(membership: Membership, *, how: str) -> int:
    """Every session of a member here; the log gets an entry for each."""
    query = select(Session).where(Session.person_id == membership.person_id, Session.ended_at.is_(None))
    rows = session().scalars(query).all()
    for row in rows:
        row.ended_at = clock.now()
        record(SIGNED_OUT, row, how=how)
    return len(rows)


def end_sessions_at_provider(issuer: str, subject: str | None, sid: str | None) -> int:
    """Back-channel logout: the provider says that this person, or just that session of his, is over."""
    query = select(Session).where(Session.ended_at.is_(None), Session.issuer == issuer)
    if sid:
        query = query.where(Session.idp_sid == sid)
    if subject:
        query = query.where(Session.person_id == person_key(issuer, subject))
    rows = session().scalars(query).all()
    for row in rows:
        row.ended_at = clock.now()
        record(SIGNED_OUT, row, how="the identity provider signed the person out")
    return len(rows)


# ---- members


def invite(email: str, role: str, *, tenant_name: str, link: str) -> Invitation:
    """Invite an address; the mail leaves after the commit. One that ran out makes room for a new one."""
    email = email.strip().lower()
    _may_have(role)
    if queries.lives_at(email):
        raise AlreadyMember(f"{email} is a member already.", field="email")
    if why := _engaged(email):
        raise Invalid(why, field="email")
    invitation = _invited(email, role, clock.now() + timedelta(days=INVITATION_DAYS))
    outbox.send_mail(email, f"Join {' '.join(tenant_name.split())} in the console", (
        f"{current.actor().name} invites you to {tenant_name} as {ROLE_NAMES[role].lower()}.\n\n"
        f"Sign in with your company: {link}\n\nThe invitation ends in {INVITATION_DAYS} days.\n"
    ))  # fmt: skip
    return invitation


def _engaged(email: str) -> str | None:
    """Why this address is no member's: somebody at it looks at the tenant from outside."""
    return next((why for says in engaged if (why := says(email))), None)


def _invited(email: str, role: str, until: datetime) -> Invitation:
    for old in session().scalars(_open_invitations(email).where(Invitation.expires_at <= clock.now())).all():
        withdraw(old, how="it ran out, and a new one was sent")
    invitation = Invitation(
        email=email, role=role, invited_by=current.person_id(), expires_at=until, accepted_at=None, accepted_by=None, withdrawn_at=None,
    )  # fmt: skip
    session().add(invitation)
    record(INVITED, invitation, about=_addressee(email), role=role, email=email)
    return invitation


def invite_auditor(email: str, *, until: datetime) -> Invitation:
    """The role comes with an engagement, which says when, and until when; the letter is the engagement's.

    One that is open already serves again, for as long as the longer engagement.
    """
    there = may_audit(email)
    if there is None:
        return _invited(email, "auditor", until)  # recorded in there
    there.expires_at = max(there.expires_at, until)
    return there


def may_audit(email: str) -> Invitation | None:
    """Refuses the address of a member, or of somebody invited as one; otherwise its open invitation, if it has one."""
    if any(held.role != "auditor" for held in queries.lives_at(email)):
        raise Invalid(f"{email} is a member here already: nobody audits his own house.", field="email")
    there: Invitation | None = (
        session().scalars(_open_invitations(email).where(Invitation.expires_at > clock.now())).one_or_none()
    )
    if there is not None and there.role != "auditor":
        raise Invalid(f"{email} is invited as {ROLE_NAMES[there.role].lower()} already: withdraw that first.", field="email")
    return there


def _addressee(email: str) -> UUID:
    """Who was invited is a data subject of his own, before he is a person here."""
    return uuid5(NAMESPACE, f"invited\0{email}")


def withdraw(invitation: Invitation, *, how: str = "withdrawn by hand") -> None:
    if invitation.accepted_at or invitation.withdrawn_at:
        raise DomainError("That invitation is no longer open.")
    invitation.withdrawn_at = clock.now()
    record(WITHDRAWN, invitation, about=_addressee(invitation.email), role=invitation.role, how=how, email=invitation.email)


def change_role(membership: Membership, role: str) -> None:
    """Effective on the person's next request: roles are read each time."""
    _may_have(role)
    admins = _admins_and(membership)
    if membership.ended_at is not None:
        raise NotFound("There is no such member here.")
    if membership.role == role:
        return
    if membership.role == "auditor":
        raise Invalid("An auditor's role comes with the engagement: end that, or remove the member.", field="role")
    _not_the_last_admin(membership, admins)
    before = {"role": membership.role}
    membership.role, membership.via = role, "set by an admin"
    record(ROLE_CHANGED, membership, before=before, after={"role": role}, via=membership.via)


def remove(membership: Membership) -> None:
    """End the membership and every session of the person in this tenant, at once."""
    admins = _admins_and(membership)
    if membership.ended_at is not None:
        return
    _not_the_last_admin(membership, admins)
    membership.ended_at = clock.now()
    end_sessions_of(membership, how="the member was removed")
    record(REMOVED, membership, role=membership.role)


def may_leave(membership: Membership) -> None:
    """Refuses the last admin of the tenant."""
    admins = _admins_and(membership)
    if membership.ended_at is None:
        _not_the_last_admin(membership, admins)


def forget(membership: Membership, addresses: Collection[str]) -> dict[str, int]:
    """Nothing here leads to the person any more; his privacy was decided on elsewhere. Needs a transaction with person_id set.

    A person whom another tenant knows keeps his name there. How many rows of each kind lost what they held.
    """
    may_leave(membership)
    if membership.ended_at is None:
        record(REMOVED, membership, role=membership.role)
    ended = end_sessions_of(membership, how="the person was erased")
    blank = {"browser": "", "network": "", "id_token": b"", "idp_sid": None}
    scrubbed = session().execute(update(Session).where(Session.person_id == membership.person_id).values(blank))
    kept_forms.forget_of(membership.person_id)
    uninvited = _forget_invitations(addresses)
    membership.ended_at, membership.via = membership.ended_at or clock.now(), ERASED
    membership.pseudonym = secrets.token_hex(16)  # nothing in the log has this one
    renamed = not _is_known_elsewhere(membership)
    if renamed:
        person = membership.person
        person.name, person.email, person.subject = ERASED_NAME, "", f"erased {secrets.token_hex(16)}"
        marks.renamed()
    session().flush()
    return {"sessions ended": ended, "sessions": _count(scrubbed), "invitations": uninvited, "names": int(renamed)}


def _forget_invitations(addresses: Collection[str]) -> int:
    to_them = update(Invitation).where(func.lower(Invitation.email).in_([a.lower() for a in addresses]))
    open_yet = case(
        (Invitation.accepted_at.is_(None), func.coalesce(Invitation.withdrawn_at, clock.now())), else_=Invitation.withdrawn_at
    )
    return _count(session().execute(to_them.values(email="", withdrawn_at=open_yet)))


def _count(result: Any) -> int:
    return int(result.rowcount)


def _is_known_elsewhere(membership: Membership) -> bool:
    """Core, since the session's own filter would hide the other tenants; the policy `own_memberships` shows them."""
    m = Membership.__table__
    elsewhere = select(m.c.id).where(m.c.person_id == membership.person_id, m.c.tenant_id != membership.tenant_id)
    return session().execute(elsewhere.where(m.c.via != ERASED).limit(1)).one_or_none() is not None


def subjects_of(person_id: UUID, addresses: Collection[str]) -> list[str]:
    """Every pseudonym that this person's sealed parts stand under: his own, and those of the addresses he was invited at."""
    return [sealing.pseudonym(each) for each in (person_id, *(_addressee(a.strip().lower()) for a in addresses))]


def _may_have(role: str) -> None:
    fitting = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if role not in fitting or role == "auditor":
        raise Invalid("That role is not one that can be given here.", field="role")


def _admins_and(membership: Membership) -> int:
    """How many admins there are, counted under a lock, with the membership read anew: two people may do this at once.

    The admins are locked first and in one order, so that two such transactions wait for each other and never deadlock.
    """
    query = select(Membership.id).where(Membership.role.in_(("admin", "operator_admin")), Membership.ended_at.is_(None))
    admins = session().scalars(query.order_by(Membership.id).with_for_update(of=Membership)).all()
    session().refresh(membership, attribute_names=["role", "via", "ended_at"], with_for_update={"of": Membership})
    return len(admins)


def _not_the_last_admin(membership: Membership, admins: int) -> None:
    if membership.role in {"admin", "operator_admin"} and admins <= 1:
        raise LastAdmin(
            f"{membership.person.name} is the only {ROLE_NAMES[membership.role].lower()}. Make somebody else one first.",
            field="role",
        )


def _is_last_admin(membership: Membership) -> bool:
    return membership.role in {"admin", "operator_admin"} and _admins_and(membership) <= 1


# ---- the identity provider


def connect(
    *, issuer: str, client_id: str, secret: str | None, enforced: bool, group_roles: Mapping[str, str], version: int | None
) -> Connection:
    """Set the tenant's connection. A blank secret keeps the one that is held; a stale form is refused."""
    _may_map(group_roles)
    session().get(
        Tenant, current.actor().tenant_id, with_for_update=True
    )  # one connection a tenant, also when two save the first
    row = session().scalars(select(Connection).order_by(Connection.created_at).limit(1).with_for_update()).one_or_none()
    after = {"issuer": issuer, "client_id": client_id, "enforced": enforced, "group_roles": dict(group_roles)}
    if row is None:
        if not secret:
            raise Invalid("A first connection needs the client secret.", field="secret")
        row = Connection(**after, secret=_sealed(secret), tested_at=None, findings=[])
        session().add(row)
        record(CONNECTED, row, after=after, secret="set")  # noqa: S106 - that there is one, not which
        return row
    if version != row.version:
        raise Stale(
            "Somebody else changed the connection since you opened this page. Look at what changed, then save again.",
            _changed_since(row, version or 0),
        )
    if not secret and (issuer, client_id) != (row.issuer, row.client_id):
        raise Invalid("Another issuer or client needs its own secret.", field="secret")
    before = {name: getattr(row, name) for name in after}
    for name, value in after.items():
        setattr(row, name, value)
    if secret:
        row.secret = _sealed(secret)
    row.version, row.tested_at, row.findings = row.version + 1, None, []
    record(CONNECTED, row, before=before, after=after, secret="replaced" if secret else None)
    return row


def _may_map(group_roles: Mapping[str, str]) -> None:
    roles = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if bad := sorted(role for role in group_roles.values() if role not in roles or role == "auditor"):
        raise Invalid(f"{bad[0]} is not a role that a group can give.", field="group_roles")


def _changed_since(row: Connection, version: int) -> dict[str, tuple[object, object]]:
    """Field → (then, now), out of the log: one entry for each version since."""
    entries = [e for e in audit.entries_about([row.id], limit=200) if e.action == CONNECTED.name][: max(row.version - version, 1)]
    changes: dict[str, tuple[object, object]] = {}
    for entry in reversed(entries):
        for name, (then, now) in entry.changes.items():
            changes[name] = (changes.get(name, (then, now))[0], now)
        if "secret" in entry.facts:
            changes["secret"] = ("the old one", "a new one")
    return changes


def note_test(connection: Connection, steps: list[dict[str, Any]]) -> None:
    connection.tested_at, connection.findings = clock.now(), steps
    passed = sum(bool(step["ok"]) for step in steps)
    record(TESTED, connection, passed=passed, failed=len(steps) - passed)


def _sealed(secret: str) -> bytes:
    return vault.wrap(secret.encode(), handshake.secret_context(current.actor().tenant_id))
