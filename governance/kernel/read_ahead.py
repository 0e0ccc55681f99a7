"""Rows of several tables that a page will ask for, read before by one statement.

    NOTES = Rows(Note, lambda m: one_of(m.of_id, "ids"), lambda m: (m.created_at,))
    COUNTS = Selected(lambda: select(…).where(…))      the rows of any other select
    NOTES.read(ids=(…,))                      its rows in their order
    read_ahead(NOTES, COUNTS, ids=(…,))       the rows of each, by one statement
    read_rows(NOTES, COUNTS, ids=(…,))        the same, and they are returned

In a transaction that may only read, what was read together is what `read` returns afterwards, so
the parts of a page still ask for their own rows. In one that may write, each `read` asks.

The statement is that of `kernel/read_together.py`.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, cast

from sqlalchemy import ARRAY, BindParameter, ColumnElement, Select, Uuid, any_, bindparam, select
from sqlalchemy.sql import visitors

from governance.kernel import db
from governance.kernel.db import session
from governance.kernel.read_once import is_kept, keep, known, read_once
from governance.kernel.read_together import ReadTogether

_built: dict[tuple["Selected[Any]", ...], ReadTogether] = {}


def one_of(column: Any, name: str) -> ColumnElement[bool]:
    """Whether the column is one of the ids that are given by that name."""
    found: ColumnElement[bool] = column == any_(bindparam(name, type_=ARRAY(Uuid)))
    return found


class Selected[Row]:
    """The rows of one select of the product: `build` returns the same one each time. It names what
    varies by `bindparam`; of ids there is a tuple.
    """

    def __init__(self, build: Callable[[], Select[*tuple[Any, ...]]]) -> None:
        self._build = build
        self._kept: tuple[Select[*tuple[Any, ...]], frozenset[str]] | None = None

    def read(self, **values: Hashable) -> list[Row]:
        """Return the rows for these values: objects of one model, what one column holds, or tuples.
        Nobody changes the list.
        """
        return _read(self, **values)

    def kept(self, **values: Hashable) -> list[Row]:
        """Return what this transaction has read and keeps; nothing where it keeps nothing."""
        return known(_read, self, **values) or []

    def alone(self) -> tuple[Select[*tuple[Any, ...]], frozenset[str]]:
        """The statement, built when it is first asked, and the names of its values."""
        if self._kept is None:
            statement = self._build()
            binds = [
                each for each in visitors.iterate(statement) if isinstance(each, BindParameter)
            ]
            self._kept = statement, frozenset(each.key for each in binds if each.required)
        return self._kept


class Rows[M: db.Tenanted](Selected[M]):
    """The rows of a table that a condition holds for, in an order; with `limit`, the first ones."""

    def __init__(
        self,
        model: type[M],
        where: Callable[[type[M]], ColumnElement[bool]],
        order: Callable[[type[M]], Sequence[Any]],
        *,
        limit: Any = None,
    ) -> None:
        super().__init__(
            lambda: select(model).where(where(model)).order_by(*order(model)).limit(limit)
        )


@read_once
def _read[Row](rows: Selected[Row], **values: Hashable) -> list[Row]:
    statement = rows.alone()[0]
    found = session().execute(statement, _sent(values))
    if len(statement.column_descriptions) == 1:
        return list(found.scalars())
    return [cast("Row", tuple(row)) for row in found]


def _sent(values: Mapping[str, Hashable]) -> dict[str, Any]:
    return {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}


def read_ahead(*tables: Selected[Any], **values: Hashable) -> None:
    """Read the rows of each, for the later calls of `read`; a table takes of the values what it
    names.
    """
    if not db.info().get("only_reads"):
        return
    own = _own(tables, values)
    new = tuple(each for each in tables if not is_kept(_read, each, **own[each]))
    if len(new) < 2:  # noqa: PLR2004 - one reads its own
        return
    for each, rows in zip(new, _together(new, own), strict=True):
        keep(_read, rows, each, **own[each])


def read_rows(*tables: Selected[Any], **values: Hashable) -> list[list[Any]]:
    """Return the rows of each, by one statement for what wasn't read ahead; also in a transaction
    that may write.
    """
    own = _own(tables, values)
    if not db.info().get("only_reads"):
        return _together(tables, own)
    read_ahead(*tables, **values)
    return [each.read(**own[each]) for each in tables]


type _Values = Mapping[Selected[Any], Mapping[str, Hashable]]


def _own(tables: Sequence[Selected[Any]], values: Mapping[str, Hashable]) -> _Values:
    """The values that each table names."""
    return {each: {name: values[name] for name in each.alone()[1]} for each in tables}


def _together(tables: tuple[Selected[Any], ...], own: _Values) -> list[list[Any]]:
    if tables not in _built:
        _built[tables] = ReadTogether(lambda: [each.alone()[0] for each in tables])
    named = {name: value for each in tables for name, value in own[each].items()}
    return _built[tables].rows(**_sent(named))
