"""Write the rows of an applied file. The import records who applied it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects.postgresql import insert

from governance.economics.imports.kinds import Row
from governance.economics.imports.models import FileImport
from governance.economics.revenue import stored_rows
from governance.economics.revenue.file_rows import FileTable
from governance.kernel import clock, current
from governance.kernel.data.db import Model, lock_tenant, session
from governance.kernel.data.ids import uuid7

type Apply = Callable[[FileImport, Sequence[Row]], None]

ROWS_AT_ONCE = 2000


def write(model: type[Model], table: FileTable, rows: Sequence[Row]) -> None:
    """Store the new and changed rows of a file, each by its key."""
    lock_tenant("revenue")
    found = stored_rows.compare(model, table, rows).written
    for start in range(0, len(found), ROWS_AT_ONCE):
        _upsert(model, table, found[start : start + ROWS_AT_ONCE])


def _upsert(model: type[Model], table: FileTable, values: Sequence[Mapping[str, Any]]) -> None:
    stored = model.__table__
    assert isinstance(stored, Table)
    statement = insert(stored).values(
        [
            {"id": uuid7(), "tenant_id": current.actor().tenant_id, "created_at": clock.now()}
            | dict(each)
            for each in values
        ]
    )
    session().execute(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", *table.key],
            set_={name: statement.excluded[name] for name in table.content},
        )
    )


def writer(model: type[Model], table: FileTable) -> Apply:
    """Return the `apply` function of an import kind."""

    def apply(_file_import: FileImport, rows: Sequence[Row]) -> None:
        write(model, table, rows)

    return apply
