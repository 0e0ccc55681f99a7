"""Selects that are named constants in a feature's queries, with parameters.

NOTES = Rows(Note, lambda m: one_of(m.of_id, "ids"), lambda m: (m.created_at,))
COUNTS = Selected(lambda: select(…).where(…))      the rows of any other select
NOTES.read(ids=(…,))                               its rows in their order
read_rows(NOTES, COUNTS, ids=(…,))                 the rows of each
"""

from collections.abc import Callable, Sequence
from typing import Any, cast

from sqlalchemy import ARRAY, BindParameter, ColumnElement, Select, Uuid, any_, bindparam, select
from sqlalchemy.sql import visitors

from governance.kernel.data import db
from governance.kernel.data.db import session


def one_of(column: Any, name: str) -> ColumnElement[bool]:
    """Return the condition that the column is one of the ids in the parameter of that name."""
    found: ColumnElement[bool] = column == any_(bindparam(name, type_=ARRAY(Uuid)))
    return found


class Selected[Row]:
    """The rows of one select.

    `build` returns the same select each time, and names its parameters by `bindparam`; ids are
    given as a sequence.
    """

    def __init__(self, build: Callable[[], Select[*tuple[Any, ...]]]) -> None:
        self._build = build
        self._built: tuple[Select[*tuple[Any, ...]], frozenset[str]] | None = None

    def read(self, **values: Any) -> list[Row]:
        """Return the rows for these values: objects of one model, values of one column, or tuples.

        Uses only the values that the select names.
        """
        statement, names = self._statement()
        sent = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
        found = session().execute(statement, {name: sent[name] for name in names})
        if len(statement.column_descriptions) == 1:
            return list(found.scalars())
        return [cast("Row", tuple(row)) for row in found]

    def _statement(self) -> tuple[Select[*tuple[Any, ...]], frozenset[str]]:
        if self._built is None:
            statement = self._build()
            binds = [e for e in visitors.iterate(statement) if isinstance(e, BindParameter)]
            self._built = statement, frozenset(each.key for each in binds if each.required)
        return self._built


class Rows[M: db.Tenanted](Selected[M]):
    """The rows of a table that match a condition, in an order; with `limit`, the first ones."""

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


def read_rows(*selects: Selected[Any], **values: Any) -> list[list[Any]]:
    """Return the rows of each select, which uses only the values that it names."""
    return [each.read(**values) for each in selects]
