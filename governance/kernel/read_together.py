"""Rows of unlike tables by one statement, which is built once.

    PARTS = ReadTogether(lambda: (
        select(PolicyVersion).where(PolicyVersion.number == bindparam("number")),
        select(AISystem).order_by(AISystem.key).limit(20),
        select(Control.ref, func.count()).group_by(Control.ref),
    ))
    versions, systems, counts = PARTS.rows(number=3)

Each query has its own order and limit, and gets a list of its rows: objects of one model, what one
column holds, or tuples. The tables stand beside each other in a join that never matches, so each
row of the answer is one of theirs.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, chain
from typing import Any

from sqlalchemy import Select, Subquery, false, func, inspect, literal, select
from sqlalchemy.orm import aliased
from sqlalchemy.orm.context import _ORMCompileState
from sqlalchemy.sql import visitors

from governance.kernel.db import session

type Ends = Sequence[int]  # behind the columns of each query, in a row of the answer


class ReadTogether:
    """One statement of the product: `build` returns the same queries each time."""

    __slots__ = ("_build", "_statement")

    def __init__(self, build: Callable[[], Sequence[Select[*tuple[Any, ...]]]]) -> None:
        self._build = build
        self._statement: tuple[Select[Any], Ends] | None = None

    def rows(self, **values: Any) -> list[list[Any]]:
        """Return the rows of each query, in its order, as the acting tenant's transaction reads
        them.
        """
        if self._statement is None:
            self._statement = _beside(self._build())
        statement, ends = self._statement
        found: list[list[Any]] = [[] for _ in ends]
        for *answer, whose in session().execute(statement, values):
            begin, end = ends[whose - 1] if whose else 0, ends[whose]
            found[whose].append(answer[begin] if end - begin == 1 else tuple(answer[begin:end]))
        return found


def _beside(queries: Sequence[Select[*tuple[Any, ...]]]) -> tuple[Select[Any], Ends]:
    tables = [_table(number, query) for number, query in enumerate(queries)]
    parts = [_parts(query, table) for query, table in zip(queries, tables, strict=True)]
    ends = list(accumulate(len(columns) for columns, _ in parts))
    whose = func.coalesce(*(table.c.row_of for table in tables))
    statement = select(*chain.from_iterable(columns for columns, _ in parts), whose)
    statement = statement.select_from(select(literal(1)).where(false()).subquery())
    for _, joined in parts:
        statement = statement.join(joined, false(), full=True)
    return _settled(statement.order_by(*(table.c.row_place for table in tables))), ends


def _settled(statement: Select[Any]) -> Select[Any]:
    """The same, with what SQLAlchemy notes on inner selects when it compiles them first: without,
    it would take the statement for another one the second time, and compile it again.
    """
    for each in visitors.iterate(statement):
        if isinstance(each, Select):
            options = _ORMCompileState.default_compile_options
            each._compile_options = options.safe_merge(each._compile_options)  # noqa: SLF001 - as above
    return statement


def _table(number: int, query: Select[*tuple[Any, ...]]) -> Subquery:
    """The query's rows with their places; a column has its number as its name."""
    order = query._order_by_clauses  # noqa: SLF001 - no public name
    columns = [
        each["expr"] if _is_model(each) else each["expr"].label(f"value_{place}")
        for place, each in enumerate(query.column_descriptions)
    ]
    return (
        query.with_only_columns(*columns)
        .add_columns(
            func.row_number().over(order_by=order or None).label("row_place"),
            literal(number).label("row_of"),
        )
        .subquery()
    )


def _parts(query: Select[*tuple[Any, ...]], table: Subquery) -> tuple[list[Any], Any]:
    """What a row of the query holds, and what is joined for it: a model brings the tenant's filter
    into the condition of its join.

    Raises TypeError for a second model, whose filter would drop the rows of the others, and for one
    that is read with another in a join, which would as well.
    """
    found: list[Any] = []
    joined: Any = table
    for place, each in enumerate(query.column_descriptions):
        if not _is_model(each):
            found.append(table.c[f"value_{place}"])
            continue
        if joined is not table:
            raise TypeError(f"{each['name']} is read with another model")
        if any(other.lazy == "joined" for other in inspect(each["entity"]).mapper.relationships):
            raise TypeError(f"{each['name']} is read with a join")
        joined = aliased(each["entity"], table)
        found.append(joined)
    return found, joined


def _is_model(described: Mapping[str, Any]) -> bool:
    return described["entity"] is not None and described["expr"] is described["entity"]
