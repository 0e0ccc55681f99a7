"""Signing in and out, inviting, changing and removing members."""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import case, func, select, update

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import (
    queries,
    saved_forms,
    sessions,
    sign_in_rules,
    sign_in_state,
)
from governance.foundation.people.models import (
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
from governance.foundation.people.oidc import Identity
from governance.foundation.people.ports import why_not_member
from governance.foundation.people.sign_in_rules import NoMembership
from governance.kernel import clock, current, key_encryption, outbox, tenant_revision
from governance.kernel.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid, NotFound

SIGNED_IN = action(
    "session.started",
    "signed in",
    target="Session",
    activity="logon",
    severity="informational",
    fields="via browser fresh",
    personal="name email",
)
SIGN_IN_DENIED = action(
    "session.denied",
    "was denied sign-in",
    target="Session Person",
    activity="logon",
    severity="medium",
    fields="cause",
    personal="email",
)
SIGNED_OUT = action(
    "session.ended",
    "ended a session",
    target="Session",
    activity="logoff",
    severity="informational",
    fields="how",
)
PERSON_RENAMED = action(
    "person.changed",
    "updated a member's name or email address",
    target="Person",
    activity="update",
    severity="informational",
    event_class="entity_management",
    personal="name email",
)
MEMBER_JOINED = action(
    "membership.started",
    "joined the tenant",
    target="Membership",
    activity="create",
    severity="medium",
    event_class="entity_management",
    fields="role via",
    personal="name email",
)
ROLE_CHANGED = action(
    "membership.role.changed",
    "changed a member's role",
    target="Membership",
    activity="update",
    severity="medium",
    event_class="entity_management",
    fields="role via",
)
MEMBER_REMOVED = action(
    "membership.ended",
    "removed a member",
    target="Membership",
    activity="delete",
    severity="medium",
    event_class="entity_management",
    fields="role",
)
INVITATION_SENT = action(
    "invitation.sent",
    "invited a member",
    target="Invitation",
    activity="create",
    severity="low",
    fields="role",
    personal="email",
)
INVITATION_ACCEPTED = action(
    "invitation.accepted",
    "accepted an invitation",
    target="Invitation",
    activity="update",
    severity="low",
    fields="role",
    personal="email",
)
INVITATION_WITHDRAWN = action(
    "invitation.withdrawn",
    "withdrew an invitation",
    target="Invitation",
    activity="delete",
    severity="informational",
    fields="role how",
    personal="email",
)

key_encryption.holds(Session, "id_token", lambda _row: b"id-token")
INVITATION_DAYS = 14
BY_GROUPS = "group mapping"


def delete_old_sign_ins() -> None:
    """Delete the sign-ins that nobody finished, and the forms that waited for one."""
    sign_in_state.delete_old_sign_ins()
    saved_forms.forget_old()


class LastAdmin(DomainError):
    pass


class AlreadyMember(DomainError):
    pass


# ---- signing in


def save_person(identity: Identity) -> Person:
    """The person behind an identity, made or brought up to date; needs a transaction with person_id
    set.
    """
    key = person_key(identity.issuer, identity.subject)
    person = session().get(Person, key)
    if person is None:
        person = Person(
            id=key,
            issuer=identity.issuer,
            subject=identity.subject,
            email=identity.email,
            name=identity.name,
        )
        session().add(person)
        session().flush()
        return person
    before = {"name": person.name, "email": person.email}
    after = {"name": identity.name or person.name, "email": identity.email or person.email}
    if before != after:
        person.name, person.email = after["name"], after["email"]
        tenant_revision.advance_names()
        record(PERSON_RENAMED, person, about=person.id, before=before, after=after)
    return person


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """What gives an identity access: the membership that it has, an invitation, or the groups."""

    role: str
    membership: Membership | None = None
    invitation: Invitation | None = None


def find_access(key: UUID, identity: Identity, connection: Connection) -> GrantedAccess:
    """Who this identity would be here by that connection; writes nothing.

    `key` is the person's. Raises NoMembership.

    A removed member comes back by an invitation only.
    """
    held = queries.any_membership_of(key)
    if held is not None and held.via == ERASED:
        raise NoMembership(
            f"This account was erased at {current.actor().tenant_name} and can't be used again.",
            remedy="Ask an admin to invite you with a different company account.",
        )
    mapped = _role_by_groups(connection, identity.groups)
    if held is not None and held.ended_at is None:
        return GrantedAccess(_role_today(held, mapped, connection, identity), membership=held)
    invitation = _invitation_for(identity, connection)
    if invitation is not None:
        return GrantedAccess(invitation.role, invitation=invitation)
    if mapped is None or held is not None:
        raise sign_in_rules.no_access(identity, connection, was_member=held is not None)
    if why := why_not_member()(identity.email):
        raise NoMembership(why, reason="the person is an auditor of the tenant")
    return GrantedAccess(mapped)


def admit(identity: Identity, connection: Connection) -> tuple[Person, Membership]:
    """The person and their membership, made or brought up to date.

    Raises NoMembership, and then nothing was written.
    """
    key = person_key(identity.issuer, identity.subject)
    found = find_access(key, identity, connection)
    if found.membership is not None:
        _follow_groups(found.membership, found.role)
        return save_person(identity), found.membership
    if (invitation := found.invitation) is not None:
        invitation.accepted_at, invitation.accepted_by = clock.now(), key
        record(
            INVITATION_ACCEPTED,
            invitation,
            about=invitee_id(invitation.email),
            role=invitation.role,
            email=invitation.email,
        )
    person = save_person(identity)
    return person, add_member(
        person, found.role, via=BY_GROUPS if invitation is None else "invitation"
    )


def _role_today(
    held: Membership, mapped: str | None, connection: Connection, identity: Identity
) -> str:
    """A membership that groups gave follows the groups, except that the last admin stays one."""
    if (
        held.via != BY_GROUPS
        or mapped == held.role
        or not connection.group_roles
        or is_last_admin(held)
    ):
        return held.role
    if mapped is None:
        raise sign_in_rules.group_lost(identity)
    return mapped


def _follow_groups(held: Membership, role: str) -> None:
    if role != held.role:
        record(ROLE_CHANGED, held, before={"role": held.role}, after={"role": role}, via=BY_GROUPS)
        held.role, held.role_since = role, clock.now()


def _role_by_groups(connection: Connection, groups: Sequence[str] | None) -> str | None:
    """The strongest role that the tenant maps one of these groups to."""
    mapped = {connection.group_roles[g] for g in groups or () if g in connection.group_roles}
    return next((role for role in (*TENANT_ROLES, *OPERATOR_ROLES) if role in mapped), None)


def _invitation_for(identity: Identity, connection: Connection) -> Invitation | None:
    if not sign_in_rules.is_address_proven(identity, connection):
        return None
    query = queries.invitations_to(identity.email).where(Invitation.expires_at > clock.now())
    return session().scalars(query.with_for_update()).one_or_none()


def add_member(person: Person, role: str, *, via: str) -> Membership:
    """Make (or revive) the membership of a person."""
    membership = queries.any_membership_of(person.id)
    if membership is None:
        membership = Membership(
            person_id=person.id,
            role=role,
            pseudonym=personal_field_encryption.pseudonym(person.id),
            via=via,
            ended_at=None,
        )
        session().add(membership)
    membership.role, membership.via, membership.ended_at = role, via, None
    membership.role_since = clock.now()
    session().flush()
    record(
        MEMBER_JOINED,
        membership,
        about=person.id,
        role=role,
        via=via,
        name=person.name,
        email=person.email,
    )
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
    """A new session with a new token (no fixation); the one it replaces ends.

    `via` is how the person was identified.
    """
    replaced = session().get(Session, (current.actor().tenant_id, replaces)) if replaces else None
    if replaced is not None:
        end_session(replaced, how="replaced by a new sign-in")
    started = Session(
        token_hash=sessions.token_hash(token),
        person_id=person.id,
        issuer=identity.issuer,
        idp_sid=identity.sid,
        id_token=key_encryption.wrap(identity.id_token.encode(), b"id-token"),
        authenticated_at=datetime.fromtimestamp(identity.authenticated_at, UTC),
        seen_at=clock.now(),
        expires_at=clock.now() + sessions.MAX_SESSION_LIFETIME,
        ended_at=None,
        browser=browser[:120],
        network=network,
        created_at=clock.now(),
    )
    session().add(started)
    session().flush()
    if replaced is not None:
        saved_forms.hand_over(replaced, started)
    record(
        SIGNED_IN,
        started,
        via=via,
        browser=browser[:120],
        fresh=fresh,
        name=person.name,
        email=person.email,
    )
    return started


def record_denied_sign_in(identity: Identity, *, reason: str) -> None:
    """The attempt is in the tenant's log, whatever came of it; the person himself is not kept."""
    person_id = person_key(identity.issuer, identity.subject)
    nobody = Person(
        id=person_id,
        issuer=identity.issuer,
        subject=identity.subject,
        email=identity.email,
        name=identity.name,
    )
    record(
        SIGN_IN_DENIED,
        nobody,
        about=person_id,
        outcome="denied",
        cause=reason,
        email=identity.email,
    )


def record_denied_step_up(row: Session, *, reason: str) -> None:
    """Somebody who is signed in sent an answer that proves nothing: the session stays what it was,
    and the log tells.
    """
    record(SIGN_IN_DENIED, row, outcome="denied", cause=reason)


def end_session(row: Session, *, how: str) -> None:
    """Ended twice is ended once."""
    if row.ended_at is None:
        row.ended_at = clock.now()
        record(SIGNED_OUT, row, how=how)


def end_member_sessions(membership: Membership, *, how: str) -> int:
    """Every session of a member here; the log gets an entry for each."""
    query = select(Session).where(
        Session.person_id == membership.person_id, Session.ended_at.is_(None)
    )
    rows = session().scalars(query).all()
    for row in rows:
        end_session(row, how=how)
    return len(rows)


def end_all_sessions(*, how: str, issuer: str | None = None) -> int:
    """Every session of the tenant, or every one that this issuer vouches for; the log gets an entry
    for each.
    """
    query = select(Session).where(Session.ended_at.is_(None))
    rows = (
        session().scalars(query if issuer is None else query.where(Session.issuer == issuer)).all()
    )
    for row in rows:
        end_session(row, how=how)
    return len(rows)


def end_sessions_at_provider(issuer: str, subject: str | None, sid: str | None) -> int:
    """Back-channel logout: the provider says that this person, or just one of their sessions, is
    signed out.
    """
    query = select(Session).where(Session.ended_at.is_(None), Session.issuer == issuer)
    if sid:
        query = query.where(Session.idp_sid == sid)
    if subject:
        query = query.where(Session.person_id == person_key(issuer, subject))
    rows = session().scalars(query).all()
    for row in rows:
        end_session(row, how="the identity provider signed the person out")
    return len(rows)


# ---- members


def invite_member(email: str, role: str, *, tenant_name: str, link: str) -> Invitation:
    """Invite an address; the mail leaves after the commit.

    One that ran out makes room for a new one.
    """
    email = email.strip().lower()
    check_assignable_role(role)
    if queries.members_at_address(email):
        raise AlreadyMember(f"{email} is already a member.", field="email")
    if why := why_not_member()(email):
        raise Invalid(why, field="email")
    return _write_invitation(email, role, tenant_name=tenant_name, link=link)


def _write_invitation(email: str, role: str, *, tenant_name: str, link: str) -> Invitation:
    invitation = create_invitation(email, role, clock.now() + timedelta(days=INVITATION_DAYS))
    outbox.send_mail(
        email,
        f"Join {' '.join(tenant_name.split())} on Meridian",
        f"{current.actor().name} invited you to {tenant_name} on Meridian."
        f" Your role: {ROLE_NAMES[role].lower()}.\n\n"
        f"To accept, sign in with your company account: {link}\n\n"
        f"The invitation expires in {INVITATION_DAYS} days.\n",
    )
    return invitation


def make_admin(email: str, issuer: str, *, tenant_name: str, link: str) -> None:
    """Break-glass: whoever has this address at that issuer is an admin, at once as a member,
    otherwise by an invitation.
    """
    email, role = email.strip().lower(), _admin_role()
    known = [m for m in queries.members_at_address(email) if m.person.issuer == issuer]
    if len(known) > 1:
        raise Invalid(
            f"{len(known)} members have the email address {email}. Give an address that only one"
            " member has.",
            field="admin",
        )
    if known:
        change_role(known[0], role)
        return
    for old in session().scalars(queries.invitations_to(email)).all():
        withdraw_invitation(old, how="the operator invited an admin")
    _write_invitation(email, role, tenant_name=tenant_name, link=link)


def _admin_role() -> str:
    return "operator_admin" if current.actor().role.startswith("operator") else "admin"


def create_invitation(email: str, role: str, until: datetime) -> Invitation:
    for old in (
        session()
        .scalars(queries.invitations_to(email).where(Invitation.expires_at <= clock.now()))
        .all()
    ):
        withdraw_invitation(old, how="expired, and a new invitation was sent")
    invitation = Invitation(
        email=email,
        role=role,
        invited_by=current.actor().person_id,
        expires_at=until,
        accepted_at=None,
        accepted_by=None,
        withdrawn_at=None,
    )
    session().add(invitation)
    record(INVITATION_SENT, invitation, about=invitee_id(email), role=role, email=email)
    return invitation


def invite_auditor(email: str, *, until: datetime) -> Invitation:
    """The role comes with an engagement, which says when, and until when; the letter is the
    engagement's.

    One that is open already serves again, for as long as the longer engagement.
    """
    there = check_auditor_address(email)
    if there is None:
        return create_invitation(email, "auditor", until)  # recorded in there
    there.expires_at = max(there.expires_at, until)
    return there


def check_auditor_address(email: str) -> Invitation | None:
    """Refuses the address of a member, or of somebody invited as one; otherwise its open
    invitation, if it has one.
    """
    if any(held.role != "auditor" for held in queries.members_at_address(email)):
        raise Invalid(
            f"{email} is already a member of this tenant. Members can't audit their own tenant.",
            field="email",
        )
    there: Invitation | None = (
        session()
        .scalars(queries.invitations_to(email).where(Invitation.expires_at > clock.now()))
        .one_or_none()
    )
    if there is not None and there.role != "auditor":
        raise Invalid(
            f"{email} already has an invitation as {ROLE_NAMES[there.role].lower()}. Withdraw it"
            " first.",
            field="email",
        )
    return there


def invitee_id(email: str) -> UUID:
    """Who was invited is a data subject before they are a person here."""
    return uuid5(NAMESPACE, f"invited\0{email}")


def withdraw_invitation(invitation: Invitation, *, how: str = "withdrawn by an admin") -> None:
    if invitation.accepted_at or invitation.withdrawn_at:
        raise DomainError("This invitation was already accepted or withdrawn.")
    invitation.withdrawn_at = clock.now()
    record(
        INVITATION_WITHDRAWN,
        invitation,
        about=invitee_id(invitation.email),
        role=invitation.role,
        how=how,
        email=invitation.email,
    )


def change_role(membership: Membership, role: str) -> None:
    """Effective on the person's next request: roles are read each time."""
    check_assignable_role(role)
    admins = _admins_and(membership)
    if membership.ended_at is not None:
        raise NotFound("This person isn't a member of this tenant.")
    if membership.role == role:
        return
    if membership.role == "auditor":
        raise Invalid(
            "Auditors get their role from an engagement. End the engagement or remove the auditor.",
            field="role",
        )
    _not_the_last_admin(membership, admins)
    before = {"role": membership.role}
    membership.role, membership.via, membership.role_since = role, "set by an admin", clock.now()
    record(ROLE_CHANGED, membership, before=before, after={"role": role}, via=membership.via)


def remove_member(membership: Membership) -> None:
    """End the membership and every session of the person in this tenant, at once."""
    admins = _admins_and(membership)
    if membership.ended_at is not None:
        return
    _not_the_last_admin(membership, admins)
    membership.ended_at = clock.now()
    end_member_sessions(membership, how="the member was removed")
    record(MEMBER_REMOVED, membership, role=membership.role)


def check_not_last_admin(membership: Membership) -> None:
    """Refuses the last admin of the tenant."""
    admins = _admins_and(membership)
    if membership.ended_at is None:
        _not_the_last_admin(membership, admins)


def erase_member(membership: Membership, addresses: Collection[str]) -> dict[str, int]:
    """Nothing here leads to the person any more; foundation/privacy decides on it.

    Needs a transaction with person_id set.

    A person whom another tenant knows keeps their name there. Returns how many rows of each kind
    were emptied.
    """
    check_not_last_admin(membership)
    if membership.ended_at is None:
        record(MEMBER_REMOVED, membership, role=membership.role)
    ended = end_member_sessions(membership, how="the person was erased")
    blank = {"browser": "", "network": "", "id_token": b"", "idp_sid": None}
    scrubbed = session().execute(
        update(Session).where(Session.person_id == membership.person_id).values(blank)
    )
    saved_forms.forget_of(membership.person_id)
    uninvited = _forget_invitations(addresses)
    membership.ended_at, membership.via = membership.ended_at or clock.now(), ERASED
    membership.pseudonym = secrets.token_hex(16)  # nothing in the log has this one
    renamed = not _is_known_elsewhere(membership)
    if renamed:
        person = membership.person
        person.name, person.email, person.subject = (
            ERASED_NAME,
            "",
            f"erased {secrets.token_hex(16)}",
        )
        tenant_revision.advance_names()
    session().flush()
    return {
        "sessions ended": ended,
        "sessions": _count(scrubbed),
        "invitations": uninvited,
        "names": int(renamed),
    }


def _forget_invitations(addresses: Collection[str]) -> int:
    to_them = update(Invitation).where(
        func.lower(Invitation.email).in_([a.lower() for a in addresses])
    )
    open_yet = case(
        (Invitation.accepted_at.is_(None), func.coalesce(Invitation.withdrawn_at, clock.now())),
        else_=Invitation.withdrawn_at,
    )
    return _count(session().execute(to_them.values(email="", withdrawn_at=open_yet)))


def _count(result: Any) -> int:
    return int(result.rowcount)


def _is_known_elsewhere(membership: Membership) -> bool:
    """Core, since the session's own filter would hide the other tenants; the policy
    `own_memberships` shows them.
    """
    m = Membership.__table__
    elsewhere = select(m.c.id).where(
        m.c.person_id == membership.person_id, m.c.tenant_id != membership.tenant_id
    )
    return session().execute(elsewhere.where(m.c.via != ERASED).limit(1)).one_or_none() is not None


def data_subjects_of(person_id: UUID, addresses: Collection[str]) -> list[str]:
    """Every pseudonym of this person's encrypted parts: their own, and those of the addresses they
    were invited at.
    """
    return [
        personal_field_encryption.pseudonym(each)
        for each in (person_id, *(invitee_id(a.strip().lower()) for a in addresses))
    ]


def check_assignable_role(role: str) -> None:
    fitting = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if role not in fitting or role == "auditor":
        raise Invalid("Choose one of the roles on the list.", field="role")


def _admins_and(membership: Membership) -> int:
    """How many admins there are, counted under a lock, with the membership read again: two people
    may do this at once.

    The admins are locked first and in one order, so that two such transactions wait for each other
    and never deadlock.
    """
    query = select(Membership.id).where(
        Membership.role.in_(("admin", "operator_admin")), Membership.ended_at.is_(None)
    )
    admins = session().scalars(query.order_by(Membership.id).with_for_update(of=Membership)).all()
    session().refresh(
        membership, attribute_names=["role", "via", "ended_at"], with_for_update={"of": Membership}
    )
    return len(admins)


def _not_the_last_admin(membership: Membership, admins: int) -> None:
    if membership.role in {"admin", "operator_admin"} and admins <= 1:
        raise LastAdmin(
            f"{membership.person.name} is the only {ROLE_NAMES[membership.role].lower()}. Give another"
            " member that role first.",
            field="role",
        )


def is_last_admin(membership: Membership) -> bool:
    return membership.role in {"admin", "operator_admin"} and _admins_and(membership) <= 1
