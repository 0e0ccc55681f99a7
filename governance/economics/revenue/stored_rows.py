"""The stored rows of a kind, for comparison with a file."""

from collections.abc import Mapping, Sequence

from sqlalchemy import select

from governance.economics.imports.kinds import Row
from governance.economics.rates import ports
from governance.economics.revenue.file_rows import FileComparison, FileTable, Key, Values
from governance.economics.revenue.file_rows import compare as compare_with
from governance.kernel import current
from governance.kernel.data.db import Model, session


def compare(model: type[Model], table: FileTable, rows: Sequence[Row]) -> FileComparison:
    """Compare the rows of a file with the stored rows and the closed months."""
    return compare_with(table, rows, stored(model, table), ports.closed_months()())


def stored(model: type[Model], table: FileTable) -> Mapping[Key, Values]:
    """Return every stored row by its key."""
    columns = model.__table__.c
    names = (*table.key, *table.content)
    query = select(*(columns[name] for name in names))
    rows = session().execute(query.where(columns.tenant_id == current.actor().tenant_id))
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return {table.key_of(each): each for each in found}
