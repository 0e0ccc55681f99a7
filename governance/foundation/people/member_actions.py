"""Add and remove members, and change their roles. A tenant always keeps an admin."""

from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import (
    queries,
)
from governance.foundation.people.events import AdminAdded
from governance.foundation.people.models import (
    Membership,
    Person,
)
from governance.foundation.people.session_actions import end_member_sessions
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.safety.access import OPERATOR_ROLES, ROLE_NAMES, TENANT_ROLES
from governance.kernel.work.events import publish

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


ADMIN_ROLES = ("admin", "operator_admin")


class LastAdmin(DomainError):
    pass


def add_member(person: Person, role: str, *, via: str) -> Membership:
    """Create or restore the membership of a person."""
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
    entry = record(
        MEMBER_JOINED,
        membership,
        about=person.id,
        role=role,
        via=via,
        name=person.name,
        email=person.email,
    )
    _tell_admins(membership, person, entry.id)
    return membership


def change_role(membership: Membership, role: str) -> None:
    """Change a member's role from their next request on: roles are read each time."""
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
    give_role(membership, role, via="set by an admin")


def give_role(membership: Membership, role: str, *, via: str) -> None:
    """Give a member another role from now on; notify the admins of a new admin."""
    before = {"role": membership.role}
    membership.role, membership.via, membership.role_since = role, via, clock.now()
    entry = record(ROLE_CHANGED, membership, before=before, after={"role": role}, via=via)
    _tell_admins(membership, membership.person, entry.id)


def _tell_admins(membership: Membership, person: Person, entry_id: UUID) -> None:
    if membership.role in ADMIN_ROLES:
        publish(AdminAdded(person.id, person.name, entry_id))


def remove_member(membership: Membership) -> None:
    """End the membership and every session of the person in this tenant, immediately."""
    admins = _admins_and(membership)
    if membership.ended_at is not None:
        return
    _not_the_last_admin(membership, admins)
    membership.ended_at = clock.now()
    end_member_sessions(membership, how="the member was removed")
    record(MEMBER_REMOVED, membership, role=membership.role)


def check_not_last_admin(membership: Membership) -> None:
    """Raise if this member is the tenant's last admin."""
    admins = _admins_and(membership)
    if membership.ended_at is None:
        _not_the_last_admin(membership, admins)


def check_assignable_role(role: str) -> None:
    fitting = OPERATOR_ROLES if current.actor().role.startswith("operator") else TENANT_ROLES
    if role not in fitting or role == "auditor":
        raise Invalid("Choose one of the roles on the list.", field="role")


def _admins_and(membership: Membership) -> int:
    """Count the admins under a lock, and read the membership again.

    Two people may do this at once. The admins are locked first and in one order, so that two such
    transactions wait for each other and never deadlock.
    """
    query = select(Membership.id).where(
        Membership.role.in_(ADMIN_ROLES), Membership.ended_at.is_(None)
    )
    admins = session().scalars(query.order_by(Membership.id).with_for_update(of=Membership)).all()
    session().refresh(
        membership, attribute_names=["role", "via", "ended_at"], with_for_update={"of": Membership}
    )
    return len(admins)


def _not_the_last_admin(membership: Membership, admins: int) -> None:
    if membership.role in {"admin", "operator_admin"} and admins <= 1:
        raise LastAdmin(
            f"{membership.person.name} is the only {ROLE_NAMES[membership.role].lower()}. Give"
            " another member that role first.",
            field="role",
        )


def is_last_admin(membership: Membership) -> bool:
    return membership.role in {"admin", "operator_admin"} and _admins_and(membership) <= 1
