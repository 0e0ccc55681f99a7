"""Create, change and delete users of the directory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.invitation_actions import invitee_id
from governance.foundation.people.models import Membership
from governance.foundation.privacy.events import PersonErased
from governance.foundation.scim import access_actions, queries
from governance.foundation.scim.comparison_key import comparison_key
from governance.foundation.scim.models import DirectoryGroup, DirectoryGroupMember, DirectoryUser
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError

PERSONAL = "user_name external_id display_name name emails"
USER_CREATED = action(
    "provisioning.user.created",
    "provisioned a user",
    target="DirectoryUser",
    activity="create",
    severity="low",
    event_class="entity_management",
    fields="is_active",
    personal=PERSONAL,
)
USER_CHANGED = action(
    "provisioning.user.changed",
    "updated a provisioned user",
    target="DirectoryUser",
    activity="update",
    severity="informational",
    event_class="entity_management",
    personal=PERSONAL,
)
USER_DEACTIVATED = action(
    "provisioning.user.deactivated",
    "deactivated a provisioned user",
    target="DirectoryUser",
    activity="update",
    severity="medium",
    event_class="entity_management",
    fields="memberships",
    personal=PERSONAL,
)
USER_REACTIVATED = action(
    "provisioning.user.reactivated",
    "reactivated a provisioned user",
    target="DirectoryUser",
    activity="update",
    severity="medium",
    event_class="entity_management",
    personal=PERSONAL,
)
USER_DELETED = action(
    "provisioning.user.deleted",
    "deleted a provisioned user",
    target="DirectoryUser",
    activity="delete",
    severity="medium",
    event_class="entity_management",
    fields="memberships",
    personal="user_name",
)
USER_LINKED = action(
    "provisioning.user.signed_in",
    "signed in for the first time as a provisioned user",
    target="DirectoryUser",
    activity="update",
    severity="low",
    event_class="entity_management",
    fields="role",
    persons="person",
)


class UserNameTaken(DomainError):
    """Another user of the tenant's directory has this name, ignoring case."""


@dataclass(frozen=True, slots=True)
class UserFacts:
    """The directory's facts about a user.

    `is_active` None doesn't change access; a new user is active.
    """

    user_name: str
    external_id: str | None
    display_name: str | None
    name: Mapping[str, str]
    emails: tuple[Mapping[str, Any], ...]
    is_active: bool | None

    @property
    def address(self) -> str:
        """The primary address, otherwise the first one."""
        written = [each for each in self.emails if each.get("value")]
        primary = [each for each in written if each.get("primary")] or written
        return str(primary[0]["value"]).strip().lower() if primary else ""


def create(facts: UserFacts) -> DirectoryUser:
    """Create a user. Raises UserNameTaken, and LastAdmin if an inactive user is the last admin."""
    key = comparison_key(facts.user_name)
    _check_free(key, None)
    now = clock.now()
    made = DirectoryUser(
        **_columns(facts),
        user_name_key=key,
        active=facts.is_active is not False,
        is_active=facts.is_active is not False,
        membership_id=None,
        access_ended_at=None,
        created_at=now,
        changed_at=now,
    )
    session().add(made)
    session().flush()
    record(USER_CREATED, made, about=subject_of(made), is_active=made.is_active, **_recorded(facts))
    if not made.is_active:
        access_actions.end_access(made)
    return made


def change(found: DirectoryUser, facts: UserFacts) -> None:
    """Change a user to what the directory says now. Raises UserNameTaken and LastAdmin."""
    key = comparison_key(facts.user_name)
    _check_free(key, found)
    before, was_active, ended = _recorded(facts_of(found)), found.is_active, 0
    if was_active and facts.is_active is False:
        ended = access_actions.end_access(found)  # It ends by the addresses that the user had.
    for name, value in _columns(facts).items():
        setattr(found, name, value)
    found.user_name_key = key
    found.active = facts.is_active
    found.is_active = was_active if facts.is_active is None else facts.is_active
    found.revision, found.changed_at = found.revision + 1, _later_than(found)
    session().flush()
    if was_active == found.is_active:
        record(USER_CHANGED, found, about=subject_of(found), before=before, after=_recorded(facts))
    elif found.is_active:
        record(
            USER_REACTIVATED, found, about=subject_of(found), before=before, after=_recorded(facts)
        )
    else:
        record(
            USER_DEACTIVATED,
            found,
            about=subject_of(found),
            before=before,
            after=_recorded(facts),
            memberships=ended,
        )


def delete(found: DirectoryUser) -> None:
    """Delete a user of the directory; the membership ends. Raises LastAdmin."""
    ended = access_actions.end_access(found)
    record(
        USER_DELETED,
        found,
        about=subject_of(found),
        memberships=ended,
        user_name=found.user_name,
    )
    groups = select(DirectoryGroupMember.group_id).where(DirectoryGroupMember.user_id == found.id)
    session().execute(
        update(DirectoryGroup)
        .where(DirectoryGroup.id.in_(groups))
        .values(revision=DirectoryGroup.revision + 1, changed_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    session().delete(found)
    session().flush()


def link(user_id: UUID, membership: Membership) -> None:
    """Link the member who signed in as this user; from now on the directory ends their access.

    An entry that another account has taken stays that account's.
    """
    found = queries.user(user_id, lock=True)
    if found is None or found.membership_id not in {None, membership.id}:
        return
    found.access_ended_at = None
    if found.membership_id is None:
        found.membership_id = membership.id
        session().flush()
        record(USER_LINKED, found, role=membership.role, person=membership.person_id)


def forget_erased(erased: PersonErased) -> None:
    """Delete the directory users of an erased person."""
    linked = select(Membership.id).where(Membership.person_id == erased.person_id)
    known = [comparison_key(each) for each in erased.addresses]
    rows = session().scalars(
        select(DirectoryUser).where(
            DirectoryUser.membership_id.in_(linked)
            | DirectoryUser.address.in_(known)
            | DirectoryUser.user_name_key.in_(known)
            | func.lower(DirectoryUser.display_name).in_([each.lower() for each in erased.words])
        )
    )
    for each in rows.all():
        erased.removed["directory users"] = erased.removed.get("directory users", 0) + 1
        session().delete(each)
    session().flush()


def facts_of(found: DirectoryUser) -> UserFacts:
    return UserFacts(
        found.user_name,
        found.external_id,
        found.display_name,
        found.name,
        tuple(found.emails),
        found.is_active,
    )


def subject_of(found: DirectoryUser) -> UUID:
    """Return whose personal fields an entry has.

    A person is identified by their address, before and after they sign in.
    """
    return invitee_id(found.address or found.user_name_key)


def _check_free(key: str, own: DirectoryUser | None) -> None:
    other = queries.user_of_name(key)
    if other is not None and other is not own:
        raise UserNameTaken("Another user has this userName.", field="userName")


def _columns(facts: UserFacts) -> dict[str, Any]:
    return {
        "user_name": facts.user_name,
        "external_id": facts.external_id,
        "display_name": facts.display_name,
        "name": dict(facts.name),
        "emails": [dict(each) for each in facts.emails],
        "address": facts.address,
    }


def _recorded(facts: UserFacts) -> dict[str, Any]:
    """Return the facts as short texts: an entry of the log has a bound."""
    return {
        "user_name": facts.user_name,
        "external_id": facts.external_id,
        "display_name": facts.display_name,
        "name": " ".join(f"{part}: {value}" for part, value in sorted(facts.name.items())) or None,
        "emails": " ".join(str(each.get("value", "")) for each in facts.emails) or None,
    }


def _later_than(found: DirectoryUser | DirectoryGroup) -> Any:
    """Return a time after the last change, even if both fall on one tick of the clock."""
    return max(clock.now(), found.changed_at + timedelta(microseconds=1))
