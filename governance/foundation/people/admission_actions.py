"""Decide whether an identity has access to the tenant, and with which role."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import (
    queries,
    sign_in_rules,
)
from governance.foundation.people.invitation_actions import invitee_id
from governance.foundation.people.member_actions import add_member, give_role, is_last_admin
from governance.foundation.people.models import (
    ERASED,
    Connection,
    Invitation,
    Membership,
    Person,
    person_key,
)
from governance.foundation.people.oidc_types import Identity
from governance.foundation.people.ports import (
    DirectoryEntry,
    directory_entry,
    link_directory_entry,
    why_not_member,
)
from governance.foundation.people.sign_in_rules import NoMembership
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.safety.access import OPERATOR_ROLES, TENANT_ROLES

PERSON_RENAMED = action(
    "person.changed",
    "updated a member's name or email address",
    target="Person",
    activity="update",
    severity="informational",
    event_class="entity_management",
    personal="name email",
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
BY_GROUPS = "group mapping"
BY_DIRECTORY = "directory groups"  # Provisioned by the company's directory over SCIM.


def save_person(identity: Identity) -> Person:
    """Return the person behind an identity, created or updated.

    Needs a transaction with person_id set.
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
    """The source of an identity's access.

    It is the membership that it has, an invitation, the directory's groups, or the groups of the ID
    token. `entry` is the directory's, for every source.
    """

    role: str
    via: str
    membership: Membership | None = None
    invitation: Invitation | None = None
    entry: DirectoryEntry | None = None


def find_access(key: UUID, identity: Identity, connection: Connection) -> GrantedAccess:
    """Return the access that this identity would have through that connection; write nothing.

    `key` is the person's. Raises NoMembership.

    A removed member comes back by an invitation only.
    """
    held = queries.any_membership_of(key)
    if held is not None and held.via == ERASED:
        raise NoMembership(
            f"This account was erased at {current.actor().tenant_name} and can't be used again.",
            remedy="Ask an admin to invite you with a different company account.",
        )
    entry = directory_entry()(identity, connection, held)
    if entry is not None and not entry.is_active:
        raise sign_in_rules.deactivated()
    ours = None if entry is None or entry.is_taken else entry
    mapped = role_by_groups(connection, identity.groups)
    if held is not None and held.ended_at is None:
        return _access_today(held, mapped, connection, identity, ours)
    invitation = _invitation_for(identity, connection)
    if invitation is not None:
        return GrantedAccess(invitation.role, "invitation", invitation=invitation, entry=ours)
    if ours is not None and ours.role is not None and (held is None or ours.may_return):
        return _as_member(identity, GrantedAccess(ours.role, BY_DIRECTORY, entry=ours))
    if mapped is None or held is not None:
        if entry is not None and entry.is_taken:
            raise sign_in_rules.entry_taken(identity)
        raise sign_in_rules.no_access(identity, connection, was_member=held is not None)
    return _as_member(identity, GrantedAccess(mapped, BY_GROUPS, entry=ours))


def _as_member(identity: Identity, found: GrantedAccess) -> GrantedAccess:
    if why := why_not_member()(identity.email):
        raise NoMembership(why, reason="the person is an auditor of the tenant")
    return found


def admit(identity: Identity, connection: Connection) -> tuple[Person, Membership]:
    """Return the person and their membership, created or updated.

    Raises NoMembership, and then nothing was written.
    """
    key = person_key(identity.issuer, identity.subject)
    found = find_access(key, identity, connection)
    if found.membership is not None:
        follow_groups(found.membership, found.role, via=found.via)
        person, membership = save_person(identity), found.membership
    else:
        if found.invitation is not None:
            _accept(found.invitation, key)
        person = save_person(identity)
        membership = add_member(person, found.role, via=found.via)
    if found.entry is not None:
        link_directory_entry()(found.entry.user_id, membership)
    return person, membership


def admit_admin(identity: Identity, connection: Connection) -> tuple[Person, Membership]:
    """Return an admin and their membership while the tenant is suspended; nobody joins.

    Raises NoMembership. Nothing is written.
    """
    found = find_access(person_key(identity.issuer, identity.subject), identity, connection)
    held = found.membership
    if held is None or {held.role, found.role} != {"admin"}:
        raise sign_in_rules.suspended_for_all_but_admins()
    return held.person, held


def _accept(invitation: Invitation, key: UUID) -> None:
    invitation.accepted_at, invitation.accepted_by = clock.now(), key
    record(
        INVITATION_ACCEPTED,
        invitation,
        about=invitee_id(invitation.email),
        role=invitation.role,
        email=invitation.email,
    )


def _access_today(
    held: Membership,
    mapped: str | None,
    connection: Connection,
    identity: Identity,
    entry: DirectoryEntry | None,
) -> GrantedAccess:
    """Return the access of a current member.

    A membership that groups gave follows them: the groups of the directory before those of the
    token. The last admin keeps their role.
    """
    if entry is not None and held.via in {BY_GROUPS, BY_DIRECTORY}:
        role = entry.role
        if role is None and held.via == BY_DIRECTORY and not is_last_admin(held):
            raise sign_in_rules.directory_groups_lost()
        if role is not None:
            stays = role != held.role and is_last_admin(held)
            return GrantedAccess(
                held.role if stays else role, BY_DIRECTORY, membership=held, entry=entry
            )
    role = _role_today(held, mapped, connection, identity)
    return GrantedAccess(role, held.via, membership=held, entry=entry)


def _role_today(
    held: Membership, mapped: str | None, connection: Connection, identity: Identity
) -> str:
    """Return the current role of a member.

    A membership that groups gave follows the groups, except that the last admin keeps their role.
    """
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


def follow_groups(held: Membership, role: str, *, via: str) -> None:
    """Give a membership the role of its groups; record nothing if it has that role already."""
    if role != held.role:
        give_role(held, role, via=via)
    held.via = via


def role_by_groups(connection: Connection, groups: Iterable[str] | None) -> str | None:
    """Return the strongest role that the tenant maps one of these groups to."""
    mapped = {connection.group_roles[g] for g in groups or () if g in connection.group_roles}
    return next((role for role in (*TENANT_ROLES, *OPERATOR_ROLES) if role in mapped), None)


def _invitation_for(identity: Identity, connection: Connection) -> Invitation | None:
    if not sign_in_rules.is_address_proven(identity, connection):
        return None
    query = queries.invitations_to(identity.email).where(Invitation.expires_at > clock.now())
    return session().scalars(query.with_for_update()).one_or_none()
