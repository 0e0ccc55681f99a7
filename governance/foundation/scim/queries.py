"""Users and groups of the directory, and who they are here. Read only."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select

from governance.foundation.api_keys.models import ApiKey
from governance.foundation.api_keys.queries import is_live
from governance.foundation.people import queries as people
from governance.foundation.people.admission_actions import role_by_groups
from governance.foundation.people.models import Connection, Membership, Person
from governance.foundation.scim.models import (
    DirectoryGroup,
    DirectoryGroupMember,
    DirectoryUser,
    ScimCall,
)
from governance.foundation.scim.permissions import SCIM
from governance.kernel import clock
from governance.kernel.data.db import among, session

MAX_CALLS_SHOWN = 50
MAX_GROUPS_SHOWN = 200


def user(user_id: UUID, *, lock: bool = False) -> DirectoryUser | None:
    query = select(DirectoryUser).where(DirectoryUser.id == user_id)
    return session().scalars(_locked(query) if lock else query).one_or_none()


def users(user_ids: Collection[UUID], *, lock: bool = False) -> Sequence[DirectoryUser]:
    """Return these users in one order, so that two who lock several never wait for each other."""
    query = select(DirectoryUser).where(among(DirectoryUser.id, user_ids))
    query = query.order_by(DirectoryUser.id)
    return session().scalars(_locked(query) if lock else query).all()


def user_of_name(key: str) -> DirectoryUser | None:
    query = select(DirectoryUser).where(DirectoryUser.user_name_key == key)
    return session().scalars(query).one_or_none()


def user_of_membership(membership_id: UUID) -> DirectoryUser | None:
    query = select(DirectoryUser).where(DirectoryUser.membership_id == membership_id)
    return session().scalars(_locked(query)).one_or_none()


def users_at_address(address: str) -> Sequence[DirectoryUser]:
    """Return the users with this address, locked.

    A concurrent request that deactivates one of them must not miss the sign-in.
    """
    if not address:
        return []
    named = or_(DirectoryUser.address == address, DirectoryUser.user_name_key == address)
    query = select(DirectoryUser).where(named).order_by(DirectoryUser.id)
    return session().scalars(_locked(query)).all()


def group(group_id: UUID, *, lock: bool = False) -> DirectoryGroup | None:
    query = select(DirectoryGroup).where(DirectoryGroup.id == group_id)
    return session().scalars(_locked(query) if lock else query).one_or_none()


def group_of_name(key: str) -> DirectoryGroup | None:
    query = select(DirectoryGroup).where(DirectoryGroup.display_name_key == key)
    return session().scalars(query).one_or_none()


def member_ids(group_id: UUID) -> set[UUID]:
    m = DirectoryGroupMember
    return set(session().scalars(select(m.user_id).where(m.group_id == group_id)))


def members_of(group_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """Return the users of each group, in one statement."""
    m = DirectoryGroupMember
    query = select(m.group_id, m.user_id).where(among(m.group_id, group_ids)).order_by(m.user_id)
    found: dict[UUID, list[UUID]] = {each: [] for each in group_ids}
    for group_id, user_id in session().execute(query):
        found[group_id].append(user_id)
    return found


def roles_by_groups(
    user_ids: Collection[UUID], connection: Connection | None
) -> Mapping[UUID, str | None]:
    """Return the role that the mapping of the sign-in connection gives each of these users.

    The mapping is by the name or the external id of a group: no mapping, no role.
    """
    if connection is None or not connection.group_roles:
        return dict.fromkeys(user_ids)
    m, g = DirectoryGroupMember, DirectoryGroup
    query = (
        select(m.user_id, g.display_name, g.external_id)
        .join(g, (g.tenant_id == m.tenant_id) & (g.id == m.group_id))
        .where(
            among(m.user_id, user_ids),
            or_(
                g.display_name.in_(connection.group_roles),
                g.external_id.in_(connection.group_roles),
            ),
        )
    )
    names: dict[UUID, list[str]] = {each: [] for each in user_ids}
    for user_id, *called in session().execute(query):
        names[user_id] += [each for each in called if each]
    return {each: role_by_groups(connection, called) for each, called in names.items()}


def memberships_that_follow(user_ids: Collection[UUID], via: str) -> Sequence[Membership]:
    """Return current memberships of these users that came about that way."""
    query = (
        select(Membership)
        .join(
            DirectoryUser,
            (DirectoryUser.tenant_id == Membership.tenant_id)
            & (DirectoryUser.membership_id == Membership.id),
        )
        .where(
            among(DirectoryUser.id, user_ids), Membership.ended_at.is_(None), Membership.via == via
        )
    )
    return session().scalars(query.order_by(Membership.id)).all()


def memberships_of(found: DirectoryUser) -> Sequence[Membership]:
    """Return the memberships that end with this user's access.

    It is that of the person who signed in as the user. Before anybody has, it is that of each
    member of the live provider with one of their addresses. Auditors come by an engagement.
    """
    query = select(Membership).where(Membership.ended_at.is_(None), Membership.role != "auditor")
    if found.membership_id is not None:
        return session().scalars(query.where(Membership.id == found.membership_id)).all()
    live = people.connection()
    if live is None or not found.addresses:
        return []
    query = query.join(Person).where(
        Person.issuer == live.issuer, func.lower(Person.email).in_(found.addresses)
    )
    return session().scalars(query.order_by(Membership.id)).all()


# ---- the page


@dataclass(frozen=True, slots=True)
class DirectoryCounts:
    users: int
    active: int
    signed_in: int


def counts() -> DirectoryCounts:
    u = DirectoryUser
    row = session().execute(
        select(
            func.count(),
            func.count().filter(u.is_active),
            func.count().filter(u.membership_id.is_not(None)),
        ).select_from(u)
    )
    return DirectoryCounts(*row.one())


def groups_with_sizes() -> Sequence[tuple[DirectoryGroup, int]]:
    m, g = DirectoryGroupMember, DirectoryGroup
    size = select(func.count()).where(m.group_id == g.id).scalar_subquery()
    query = select(g, size).order_by(g.display_name_key).limit(MAX_GROUPS_SHOWN)
    return [(each, count) for each, count in session().execute(query)]


def keys() -> Sequence[ApiKey]:
    """Return the live keys that a directory may use."""
    query = select(ApiKey).where(is_live(clock.now()), ApiKey.scopes.contains([SCIM]))
    return session().scalars(query.order_by(func.lower(ApiKey.name), ApiKey.id)).all()


def newest_calls(*, only_problems: bool = False) -> Sequence[ScimCall]:
    query = select(ScimCall).order_by(ScimCall.created_at.desc(), ScimCall.id.desc())
    if only_problems:
        query = query.where(ScimCall.problem != "")
    return session().scalars(query.limit(MAX_CALLS_SHOWN)).all()


def _locked[Q](query: Q) -> Q:
    locked: Q = query.with_for_update(key_share=True)  # type: ignore[attr-defined] # Q is a Select
    return locked
