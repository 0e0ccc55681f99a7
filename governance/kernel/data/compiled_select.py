"""Selects that are compiled once, with the tenant's filter in them.

    HOLDER = CompiledSelect(lambda: select(…))     built and compiled at its first use
    HOLDER.rows(hash=…, now=…)                     named tuples, or what `row` makes of each

Of a large statement SQLAlchemy's part takes longer than PostgreSQL's: its key, its compiled form,
the filter. So the statements of every page, and the inbox's unions of all sources, are compiled
once. Such a select has columns, never entities, and names its parameters by `bindparam`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from psycopg.types.json import Jsonb
from sqlalchemy import JSON, BindParameter, ClauseElement, Uuid, bindparam, select
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql.compiler import SQLCompiler

from governance.kernel.data import db

TENANT = "tenant_of_the_reader"  # The parameter of the tenant's filter.


class CompiledSelect[Row]:
    """One statement of the product; `build` returns the same one each time."""

    __slots__ = ("_build", "_row", "_text")

    def __init__(
        self,
        build: Callable[[], ClauseElement],
        row: Callable[[Sequence[Any]], Row] | None = None,
    ) -> None:
        self._build, self._row = build, row
        self._text: tuple[str, Mapping[str, Any]] | None = None

    def rows(self, **values: Any) -> list[Row]:
        """Return all rows as the acting tenant's transaction reads them."""
        connection = db.connection()
        text, constants = self._text or self._compiled(connection.dialect)
        values[TENANT] = db.info().get("tenant_id")
        found = connection.exec_driver_sql(text, {**constants, **values})
        if self._row is None:
            return cast("list[Row]", list(found))
        return [self._row(row) for row in found]

    def _compiled(self, dialect: Dialect) -> tuple[str, Mapping[str, Any]]:
        """Return the text and the constants in it. Two threads may both compile it, alike.

        Raises TypeError for a list of values, on whose length the text would depend.
        """
        compiled = cast("SQLCompiler", _filtered(self._build()).compile(dialect=dialect))
        if any(each.required and each.expanding for each in compiled.binds.values()):
            raise TypeError(f"the text depends on its values: {compiled}")
        missing = {name: None for name, each in compiled.binds.items() if each.required}
        written = compiled.construct_expanded_state(missing)
        constants = {
            name: Jsonb(value) if _is_json(compiled.binds.get(name)) else value
            for name, value in written.parameters.items()
            if name not in missing
        }
        self._text = written.statement, constants
        return self._text


def _is_json(bind: BindParameter[Any] | None) -> bool:
    """Return whether the driver needs to know that a list or dictionary is JSON."""
    return bind is not None and isinstance(bind.type, JSON)


def _filtered(statement: Any) -> ClauseElement:
    """Return the statement with the filter of `kernel/data/db.py`.

    A text names its tenant itself, if at all.
    """
    if not hasattr(statement, "options"):
        filtered: ClauseElement = statement
        return filtered
    mine = select(bindparam(TENANT, type_=Uuid())).scalar_subquery()
    only_mine = with_loader_criteria(
        db.Tenanted, lambda cls: cls.tenant_id == mine, include_aliases=True
    )
    with_filter: ClauseElement = statement.options(only_mine)
    return with_filter
