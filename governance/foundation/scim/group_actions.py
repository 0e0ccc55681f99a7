"""Create, change and delete groups of the directory."""

from collections.abc import Collection
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import insert

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.scim import access_actions, queries
from governance.foundation.scim.comparison_key import comparison_key
from governance.foundation.scim.models import DirectoryGroup, DirectoryGroupMember
from governance.kernel import clock, current
from governance.kernel.data.db import among, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid

GROUP_CREATED = action(
    "provisioning.group.created",
    "provisioned a group",
    target="DirectoryGroup",
    activity="create",
    severity="low",
    event_class="entity_management",
    fields="name external_id added users",
)
GROUP_CHANGED = action(
    "provisioning.group.changed",
    "updated a provisioned group",
    target="DirectoryGroup",
    activity="update",
    severity="low",
    event_class="entity_management",
    fields="name external_id added removed users",
)
GROUP_DELETED = action(
    "provisioning.group.deleted",
    "deleted a provisioned group",
    target="DirectoryGroup",
    activity="delete",
    severity="low",
    event_class="entity_management",
    fields="name removed",
)
MAX_USERS_RECORDED = 100  # Users who joined or left; the counts are complete.


class GroupNameTaken(DomainError):
    """Another group of the tenant's directory has this name, ignoring case."""


def create(display_name: str, external_id: str | None, users: Collection[UUID]) -> DirectoryGroup:
    """Create a group. Raises GroupNameTaken, Invalid for an unknown member, and LastAdmin."""
    key = comparison_key(display_name)
    _check_free(key, None)
    now = clock.now()
    made = DirectoryGroup(
        display_name=display_name,
        display_name_key=key,
        external_id=external_id,
        created_at=now,
        changed_at=now,
    )
    session().add(made)
    session().flush()
    added = set(users)
    _add(made, added)
    record(
        GROUP_CREATED,
        made,
        name=display_name,
        external_id=external_id,
        added=len(added),
        users=_some(added),
    )
    access_actions.follow_groups(added)
    return made


def change(
    found: DirectoryGroup, display_name: str, external_id: str | None, users: Collection[UUID]
) -> None:
    """Change a group to what the directory says now; roles follow in this transaction.

    Raises GroupNameTaken, Invalid for an unknown member, and LastAdmin.
    """
    key = comparison_key(display_name)
    _check_free(key, found)
    present, wanted = queries.member_ids(found.id), set(users)
    added, removed = wanted - present, present - wanted
    before = {"name": found.display_name, "external_id": found.external_id}
    after = {"name": display_name, "external_id": external_id}
    found.display_name, found.display_name_key = display_name, key
    found.external_id = external_id
    found.revision += 1
    found.changed_at = max(clock.now(), found.changed_at + timedelta(microseconds=1))
    session().flush()
    _remove(found, removed)
    _add(found, added)
    record(
        GROUP_CHANGED,
        found,
        before=before,
        after=after,
        added=len(added) or None,
        removed=len(removed) or None,
        users=_some(added | removed) or None,
    )
    access_actions.follow_groups(added | removed if before == after else present | wanted)


def delete(found: DirectoryGroup) -> None:
    """Delete a group, whose members lose the role that it gave. Raises LastAdmin."""
    users = queries.member_ids(found.id)
    queries.users(users, lock=True)
    record(GROUP_DELETED, found, name=found.display_name, removed=len(users))
    session().delete(found)
    session().flush()
    access_actions.follow_groups(users)


def _check_free(key: str, own: DirectoryGroup | None) -> None:
    other = queries.group_of_name(key)
    if other is not None and other is not own:
        raise GroupNameTaken(
            "Another group has this displayName. Group names must be unique, because roles are"
            " mapped by name.",
            field="displayName",
        )


def _add(found: DirectoryGroup, users: set[UUID]) -> None:
    """Add users to the group.

    They are locked, so a concurrent sign-in reads its groups before this change or after it.
    """
    if len(queries.users(users, lock=True)) != len(users):
        raise Invalid("A member of the group is no user of this tenant.", field="members")
    rows = [
        {
            "tenant_id": current.actor().tenant_id,
            "id": uuid7(),
            "group_id": found.id,
            "user_id": each,
            "created_at": clock.now(),
        }
        for each in sorted(users)
    ]
    if rows:
        session().execute(insert(DirectoryGroupMember), rows)


def _remove(found: DirectoryGroup, users: set[UUID]) -> None:
    m = DirectoryGroupMember
    if users:
        queries.users(users, lock=True)
        session().execute(
            delete_rows(m)
            .where(m.group_id == found.id, among(m.user_id, users))
            .execution_options(synchronize_session=False)
        )


def _some(users: Collection[UUID]) -> list[str]:
    return [str(each) for each in sorted(users)[:MAX_USERS_RECORDED]]
