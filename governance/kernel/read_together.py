"""Rows of unlike tables by one statement, which is built once.

    PARTS = ReadTogether(lambda: (
        select(PolicyVersion).where(PolicyVersion.number == bindparam("number")),
        select(AISystem).order_by(AISystem.key).limit(20),
    ))
    versions, systems = PARTS.rows(number=3)

Each query selects one model, with its own order and limit, and gets a list of its rows. The tables
stand beside each other in a join that never matches, so each row of the answer has one of them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Select, false, func, inspect, literal, select
from sqlalchemy.orm import aliased

from governance.kernel.db import session


class ReadTogether:
    """One statement of the product: `build` returns the same queries each time."""

    __slots__ = ("_build", "_statement")

    def __init__(self, build: Callable[[], Sequence[Select[Any]]]) -> None:
        self._build = build
        self._statement: Select[Any] | None = None

    def rows(self, **values: Any) -> list[list[Any]]:
        """Return the rows of each query, in its order, as the acting tenant's transaction reads
        them.
        """
        if self._statement is None:
            self._statement = _beside(self._build())
        found: list[list[Any]] = [[] for _ in self._statement.column_descriptions]
        for answer in session().execute(self._statement, values):
            for place, row in enumerate(answer):
                if row is not None:
                    found[place].append(row)
        return found


def _beside(queries: Sequence[Select[Any]]) -> Select[Any]:
    """Raises TypeError for a model that is read with others in a join: it would drop rows."""
    models, places = [], []
    for query in queries:
        model = query.column_descriptions[0]["entity"]
        if any(each.lazy == "joined" for each in inspect(model).relationships):
            raise TypeError(f"{model.__name__} is read with a join")
        order = query._order_by_clauses  # noqa: SLF001 - no public name
        place = func.row_number().over(order_by=order or None).label("row_place")
        rows = query.add_columns(place).subquery()
        models.append(aliased(model, rows))
        places.append(rows.c.row_place)
    statement = select(*models).select_from(select(literal(1)).where(false()).subquery())
    for each in models:
        statement = statement.join(each, false(), full=True)
    return statement.order_by(*places)
