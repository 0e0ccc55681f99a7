"""The storage of scim2-server, over this feature's tables and actions."""

from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from scim2_models import (
    ConflictException,
    InvalidValueException,
    Meta,
    NotFoundException,
    PreconditionFailedException,
    Reference,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimFilter,
    SearchRequest,
    UniquenessException,
)
from scim2_server.storage import ScimStorage, SearchPage
from sqlalchemy import ColumnElement, Text, cast, func, null, select, true, union_all

from governance.foundation.scim import filters, group_actions, queries, sorting, user_actions
from governance.foundation.scim.group_actions import GroupNameTaken
from governance.foundation.scim.models import DirectoryGroup, DirectoryUser
from governance.foundation.scim.request_size import MAX_GROUP_MEMBERS
from governance.foundation.scim.schemas import (
    MAX_EMAILS,
    MAX_TEXT_LENGTH,
    Email,
    Group,
    GroupMember,
    Name,
    User,
)
from governance.foundation.scim.user_actions import UserFacts, UserNameTaken
from governance.kernel.data.db import Model, among, lock_tenant, session
from governance.kernel.errors import DomainError, Invalid

type Row = DirectoryUser | DirectoryGroup

MAX_START = 2**40  # Beyond every row, and within PostgreSQL's numbers.
NAME_PARTS = (
    ("formatted", "formatted"),
    ("givenName", "given_name"),
    ("familyName", "family_name"),
)
EMAIL_PARTS = ("value", "type", "display", "primary")


class DirectoryStorage(ScimStorage):
    """The acting tenant's users and groups, in the transaction of the request."""

    @contextmanager
    def operation(self) -> Generator[None]:
        """Run one operation, also within a bulk request, completely or without a trace."""
        with session().begin_nested():
            yield

    def get(
        self,
        resource_type: ResourceType,
        resource_id: str,
        *,
        response_parameters: ResponseParameters[Any] | None = None,
    ) -> Resource[Any]:
        """Return a resource, locked if the server asks for all of it, since a change follows."""
        row = _row(resource_type, resource_id, lock=response_parameters is None)
        return _resources([row], without_members=_leaves_out_members(response_parameters))[0]

    def search(
        self,
        resource_types: list[ResourceType],
        search_request: SearchRequest[Any],
        *,
        position: Any = None,
    ) -> SearchPage:
        del position  # A cursor, which the configuration doesn't announce.
        searched = [(each, _wanted(each, search_request)) for each in resource_types]
        totals = [
            select(func.count()).select_from(_model(each)).where(wanted).scalar_subquery()
            for each, wanted in searched
        ]
        total = sum(session().execute(select(*totals)).one())
        rows = _page(searched, search_request)
        leaves_out = _leaves_out_members(search_request)
        return SearchPage(total, _resources(rows, without_members=leaves_out))

    def create(
        self,
        resource_type: ResourceType,  # noqa: ARG002 - the server's signature; a resource knows its type
        resource: Resource[Any],
    ) -> Resource[Any]:
        with _refusals():
            lock_tenant("provisioning")
            if isinstance(resource, User):
                made: Row = user_actions.create(_facts(resource))
            else:
                made = group_actions.create(*_group_facts(resource))
        return _resources([made])[0]

    def update(
        self,
        resource_type: ResourceType,
        resource: Resource[Any],
        *,
        expected_version: str | None = None,
    ) -> Resource[Any]:
        with _refusals():
            lock_tenant("provisioning")
            row = _row(resource_type, str(resource.id), lock=True, version=expected_version)
            if isinstance(row, DirectoryUser):
                user_actions.change(row, _facts(resource))
            else:
                group_actions.change(row, *_group_facts(resource))
        return _resources([row])[0]

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        with _refusals():
            lock_tenant("provisioning")
            row = _row(resource_type, resource_id, lock=True, version=expected_version)
            if isinstance(row, DirectoryUser):
                user_actions.delete(row)
            else:
                group_actions.delete(row)


@contextmanager
def _refusals() -> Generator[None]:
    """Turn an error of the domain into an error of SCIM with the same sentence."""
    try:
        yield
    except (UserNameTaken, GroupNameTaken) as refused:
        raise UniquenessException(detail=refused.message) from refused
    except Invalid as refused:
        raise InvalidValueException(detail=refused.message) from refused
    except DomainError as refused:
        raise ConflictException(detail=refused.message) from refused


# ---- rows


def _model(resource_type: ResourceType) -> type[DirectoryUser] | type[DirectoryGroup]:
    return DirectoryUser if resource_type.name == "User" else DirectoryGroup


def _resource(resource_type: ResourceType) -> type[User] | type[Group]:
    return User if resource_type.name == "User" else Group


def _wanted(resource_type: ResourceType, asked: SearchRequest[Any]) -> ColumnElement[bool]:
    """Return the filter for the rows of one type.

    An attribute that the type lacks finds none of them. At the root the filter is bound to every
    type, so it is bound again to this one.
    """
    if asked.filter is None:
        return true()
    model = _resource(resource_type)
    return filters.condition(ScimFilter[model](str(asked.filter)), str(resource_type.name))  # type: ignore[valid-type]


def _page(
    searched: Sequence[tuple[ResourceType, ColumnElement[bool]]], asked: SearchRequest[Any]
) -> list[Row]:
    """Return the rows of the requested page, over all searched types.

    They are in the requested order, otherwise in the order of creation.
    """
    start = min(asked.start_index_0 or 0, MAX_START)
    keys = [sorting.key_of(asked, _resource(each), str(each.name)) for each, _wanted in searched]
    if len(searched) == 1:
        each, wanted = searched[0]
        model = _model(each)
        ordered = sorting.order_by(asked, keys[0], model.created_at, model.id)
        query = select(model).where(wanted).order_by(*ordered)
        return list(session().scalars(query.offset(start).limit(asked.count)))
    kind = next((key.type for key in keys if key is not None), Text())
    parts = [
        select(
            _model(each).id,
            _model(each).created_at,
            (cast(null(), kind) if key is None else key).label("key"),
        ).where(wanted)
        for (each, wanted), key in zip(searched, keys, strict=True)
    ]
    every = union_all(*parts).subquery()
    ordered = sorting.order_by(asked, every.c.key, every.c.created_at, every.c.id)
    order = select(every.c.id).order_by(*ordered)
    ids = session().scalars(order.offset(start).limit(asked.count)).all()
    found: dict[UUID, Row] = {}
    for each, _condition in searched if ids else ():
        model = _model(each)
        rows: Iterable[Row] = session().scalars(select(model).where(among(model.id, ids)))
        found |= {row.id: row for row in rows}
    return [found[each] for each in ids]


def _row(
    resource_type: ResourceType, resource_id: str, *, lock: bool, version: str | None = None
) -> Row:
    try:
        row_id = UUID(resource_id)
    except ValueError:
        raise _not_found(resource_type) from None
    row: Row | None = (queries.user if resource_type.name == "User" else queries.group)(
        row_id, lock=lock
    )
    if row is None or str(row.id) != resource_id:
        raise _not_found(resource_type)
    if lock:
        session().refresh(row)
    if version is not None and version != _version(row):
        raise PreconditionFailedException(
            detail=f"This {resource_type.name} has changed. Read it again, then retry."
        )
    return row


def _not_found(resource_type: ResourceType) -> SCIMException:
    return NotFoundException(detail=f"This {resource_type.name} doesn't exist.")


def _version(row: Row) -> str:
    return f'W/"{row.revision}"'


# ---- rows as resources


def _resources(rows: Iterable[Model], *, without_members: bool = False) -> list[Resource[Any]]:
    """Return resources; one statement reads the members of all groups, unless nobody wants them."""
    listed = list(rows)
    groups = [row.id for row in listed if isinstance(row, DirectoryGroup)]
    members = queries.members_of(groups) if groups and not without_members else {}
    return [
        _group(row, members.get(row.id, [])) if isinstance(row, DirectoryGroup) else _user(row)
        for row in listed
        if isinstance(row, DirectoryGroup | DirectoryUser)
    ]


def _meta(row: Row, name: str) -> Meta:
    return Meta(
        resource_type=name,
        created=row.created_at,
        last_modified=row.changed_at,
        version=_version(row),
    )


def _user(row: DirectoryUser) -> User:
    parts = {field: row.name.get(key) for key, field in NAME_PARTS}
    return User(
        id=str(row.id),
        external_id=row.external_id,
        user_name=row.user_name,
        name=Name(**parts) if any(parts.values()) else None,
        display_name=row.display_name,
        emails=[Email(**each) for each in row.emails] or None,
        active=row.active,
        meta=_meta(row, "User"),
    )


def _group(row: DirectoryGroup, members: list[UUID]) -> Group:
    return Group(
        id=str(row.id),
        external_id=row.external_id,
        display_name=row.display_name,
        members=[GroupMember(value=str(each), ref=Reference(f"Users/{each}")) for each in members]
        or None,
        meta=_meta(row, "Group"),
    )


def _leaves_out_members(parameters: ResponseParameters[Any] | None) -> bool:
    if parameters is None:
        return False
    excluded = {str(each).lower() for each in parameters.excluded_attributes or ()}
    wanted = {str(each).lower() for each in parameters.attributes or ()}
    return "members" in excluded or (
        bool(wanted) and not any("members" in each or each == "group" for each in wanted)
    )


# ---- resources as facts


def _facts(resource: Resource[Any]) -> UserFacts:
    assert isinstance(resource, User)
    named = resource.name
    parts = {
        key: text
        for key, field in NAME_PARTS
        if (text := _text(getattr(named, field, None), f"name.{key}"))
    }
    emails = resource.emails or []
    if len(emails) > MAX_EMAILS:
        raise Invalid(f"A user has at most {MAX_EMAILS} emails.", field="emails")
    user_name = _text(resource.user_name, "userName")
    if not user_name:
        raise Invalid("userName is required.", field="userName")
    return UserFacts(
        user_name,
        _text(resource.external_id, "externalId"),
        _text(resource.display_name, "displayName"),
        parts,
        tuple(_email(each) for each in emails),
        resource.active,
    )


def _email(given: Email) -> dict[str, Any]:
    values = {part: getattr(given, part) for part in EMAIL_PARTS}
    return {
        part: value if isinstance(value, bool) else _text(value, f"emails.{part}")
        for part, value in values.items()
        if value is not None
    }


def _group_facts(resource: Resource[Any]) -> tuple[str, str | None, set[UUID]]:
    assert isinstance(resource, Group)
    name = _text(resource.display_name, "displayName")
    if not name:
        raise Invalid("displayName is required.", field="displayName")
    members = resource.members or []
    if len(members) > MAX_GROUP_MEMBERS:
        raise Invalid(f"A group has at most {MAX_GROUP_MEMBERS:,} members.", field="members")
    return name, _text(resource.external_id, "externalId"), {_user_id(each) for each in members}


def _user_id(member: GroupMember) -> UUID:
    """Return the id of a member; raise Invalid unless it is one.

    A group within a group is no user either: directories send who is in it.
    """
    try:
        return UUID(member.value or "")
    except ValueError:
        raise Invalid("A member of the group is no user of this tenant.", field="members") from None


def _text(value: str | None, field: str) -> str | None:
    """Return the text, None if empty; raise Invalid unless it is one line of allowed length."""
    if not value:
        return None
    if len(value) > MAX_TEXT_LENGTH or any(ord(each) < ord(" ") for each in value):
        raise Invalid(
            f"{field} must be one line of at most {MAX_TEXT_LENGTH} characters.", field=field
        )
    return str(value)
