"""Statements of a page, whose number must not grow with the number of rows.

Each page of the tenant and of one object is opened where every table has a few rows, and again
where it has ten times as many.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

import pytest
from sqlalchemy import Column, Index, Table, UniqueConstraint, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from governance.kernel.data.db import Model, Tenanted, session
from governance.kernel.files import downloads
from tests.conftest import visitor
from tests.route_helpers import RouteMethod, call_route, route_methods

# The log itself and one-per-tenant rows, of which a copy would mean something else.
NOT_COPIED = {
    "audit_entries", "audit_logs", "audit_checkpoints", "audit_tiles", "data_keys", "tenant_keys",
    "connections", "sign_ins", "sessions", "memberships", "stops", "policy_versions",
}  # fmt: skip


# ---- more of each row


def add_copies(acting: Any, first: int, last: int) -> int:
    """Add copies number `first` to `last` of each row of acme. Return how many tables took them."""
    tables = 0
    with acting("admin"):
        originals = {t.name: _rows(t) for t in _tables()}
        for table in _tables():
            taken = 0
            for row in originals[table.name]:
                for number in range(first, last + 1):
                    taken += _is_added(table, _copy(table, row, number))
            tables += bool(taken)
    return tables


def _tables() -> list[Table]:
    tenanted = {
        m.class_.__tablename__ for m in Model.registry.mappers if issubclass(m.class_, Tenanted)
    }
    return [t for t in Model.metadata.sorted_tables if t.name in tenanted - NOT_COPIED]


def _rows(table: Table) -> list[dict[str, Any]]:
    """Return the one row of a table in the test's world, as it was made."""
    query = (
        select(table).order_by(table.c.created_at).limit(1)
        if "created_at" in table.c
        else select(table).limit(1)
    )
    return [dict(row) for row in session().execute(query).mappings()]


def _copy(table: Table, row: dict[str, Any], number: int) -> dict[str, Any]:
    """Return a row with another id and other unique values."""
    made = {**row, "id": uuid5(row["id"], str(number))}
    for column in _unique_columns(table):
        if column.name in {"tenant_id", "id"} or row[column.name] is None:
            continue
        made[column.name] = _other(column, row[column.name], number)
    return made


def _unique_columns(table: Table) -> Iterator[Column[Any]]:
    for each in table.constraints:
        if isinstance(each, UniqueConstraint):
            yield from each.columns
    for index in table.indexes:
        if isinstance(index, Index) and index.unique:
            yield from (each for each in index.columns if isinstance(each, Column))


def _other(column: Column[Any], value: Any, number: int) -> Any:
    """Return another value, or for a referenced row the copy with the same number."""
    is_reference = any(
        column.name in key.column_keys for key in column.table.foreign_key_constraints
    )
    if isinstance(value, UUID):
        return uuid5(value, str(number)) if is_reference else value
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value + number
    if isinstance(value, date):
        return value + timedelta(days=number)
    if isinstance(value, str):
        return f"{value}-{number}"
    return value + bytes([number]) if isinstance(value, bytes) else value


def _is_added(table: Table, row: dict[str, Any]) -> bool:
    """Return whether the table took the row, which its checks may reject."""
    try:
        with session().begin_nested():
            done = session().execute(insert(table).values(row).on_conflict_do_nothing())
    except DBAPIError:
        return False
    return bool(done.rowcount)


# ---- the pages


def pages(app: Any, ids: dict[str, Any]) -> Iterator[tuple[RouteMethod, Any, str]]:
    roles = ("admin", "compliance_officer", "contributor")
    readers = {role: visitor(app, role) for role in roles}
    for door in route_methods(app, "tenant"):
        view = app.view_functions[door.rule.endpoint]
        reader = next((r for role, r in readers.items() if role in door.needs.roles), None)
        if door.method == "GET" and view.answers == downloads.PAGE and reader:
            yield door, reader, door.address(app, "acme", ids)


MAY_JOIN = 1  # a statement asked once if any row needs it, such as the last minute of silent ones


def counted(app: Any, ids: dict[str, Any], statements: Any) -> dict[str, int]:
    """Return how many statements each page takes for its first reader."""
    found = {}
    for door, reader, path in pages(app, ids):
        with statements() as seen:
            reply = call_route(reader, door, path)
        if reply.status_code == 200:
            found[str(door)] = len(seen)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("few", "many"), [(2, 12), pytest.param(5, 50, marks=pytest.mark.nightly)], ids=str
)
def test_no_page_asks_more_of_the_database_because_it_shows_more(
    app, acting, acme_ids, statements, few, many
):
    assert add_copies(acting, 1, few) > 100
    before = counted(app, acme_ids, statements)
    add_copies(acting, few + 1, many)
    after = counted(app, acme_ids, statements)
    grown = [
        f"{page}: {before[page]}, then {n}"
        for page, n in after.items()
        if n > before[page] + MAY_JOIN
    ]
    assert grown == [], "\n".join(grown)
    assert len(after) > 250
