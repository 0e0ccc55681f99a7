"""Selects that are compiled once, with the tenant's filter in them, and asked of the driver.

    HOLDER = CompiledSelect(lambda: select(…))     built and compiled at its first use
    HOLDER.rows(hash=…, now=…)                     named tuples, by the names of the columns, or
                                                   what `row` makes of each
    transaction(first=[HOLDER.question(hash=…)])   asked in the round trip of the transaction's BEGIN
    HOLDER.told(hash=…)                            its rows, once; None if it wasn't asked so

Of a small statement, SQLAlchemy's part takes eight times what the driver's does: the statement's
key, its compiled form, the filter, the rows. What every page asks is asked so; it selects columns,
never entities, and names what varies by `bindparam`. Listeners of the engine hear of it as of any
statement, and the driver's errors come as SQLAlchemy's.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, cast
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus
from sqlalchemy import ClauseElement, Connection, Uuid, bindparam, select
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import with_loader_criteria

from governance.kernel import db
from governance.kernel.driver import Command, CommandRows, DriverConnection

ASKED_FIRST = "asked with the BEGIN"  # in the transaction's info
TENANT = "tenant_of_the_reader"  # the parameter of the tenant's filter
PLACEHOLDER = re.compile(r"%(?:%|\(([^)]+)\)s)")  # what SQLAlchemy writes for this driver


class CompiledSelect[Row]:
    """One statement of the product: `build` returns the same one each time.

    `row` makes a row of its values, where its columns are to have other names or types to know.
    `planned_once`: PostgreSQL keeps one plan for each connection, whatever the values are, where
    planning takes longer than what a plan for these values could spare.
    """

    __slots__ = ("_build", "_kept", "_lock", "_planned_once", "_row")

    def __init__(
        self,
        build: Callable[[], ClauseElement],
        row: Callable[[Sequence[Any]], Row] | None = None,
        *,
        planned_once: bool = False,
    ) -> None:
        self._build, self._row, self._lock = build, row, Lock()
        self._planned_once = planned_once
        self._kept: _Statement | None = None

    def rows(self, **values: Any) -> list[Row]:
        """Return all rows as the acting tenant's transaction reads them."""
        connection = db.connection()
        values[TENANT] = db.info().get("tenant_id")
        found: list[Row] = self.statement(connection.dialect).ask(connection, values)
        return found

    def one(self, **values: Any) -> Row:
        (row,) = self.rows(**values)
        return row

    def first(self, **values: Any) -> Row | None:
        """Return the first row; None without one."""
        found = self.rows(**values)
        return found[0] if found else None

    def question(self, **values: Any) -> "OpeningSelect":
        """What a transaction can ask with its BEGIN."""
        return OpeningSelect(self, values)

    def told(self, **values: Any) -> list[Row] | None:
        """Return the rows that this transaction began with, for these values among its own.

        They are given once: who asks again wants to know what has changed since.
        """
        answers = db.info().get(ASKED_FIRST, {})
        asked, rows = answers.get(self, ({}, None))
        if rows is None or any(asked.get(name) != value for name, value in values.items()):
            return None
        del answers[self]
        return cast("list[Row]", rows)

    def statement(self, dialect: Dialect) -> "_Statement":
        return self._kept or self._compiled(dialect)

    def _compiled(self, dialect: Dialect) -> "_Statement":
        with self._lock:
            if self._kept is None:
                compiled = _filtered(self._build()).compile(dialect=dialect)
                self._kept = _Statement(compiled, self._row, planned_once=self._planned_once)
            return self._kept


class OpeningSelect:
    """A statement and its values, for the BEGIN of a transaction (`kernel/db.py`)."""

    __slots__ = ("_select", "_statement", "_values")

    def __init__(self, asked: CompiledSelect[Any], values: Mapping[str, Any]) -> None:
        self._select, self._values = asked, values

    def command(self, connection: Connection, tenant: UUID | None) -> Command:
        """The text and its values, of which those who count statements hear."""
        self._statement = self._select.statement(connection.dialect)
        values = self._statement.values({**self._values, TENANT: tenant})
        for hear in connection.dispatch.before_cursor_execute:
            hear(connection, None, self._statement.text, values, None, False)
        return self._statement.text.encode(), values

    def told(self, answer: CommandRows, info: dict[str, Any]) -> None:
        rows = self._statement.made(answer.rows, answer.names)
        info.setdefault(ASKED_FIRST, {})[self._select] = self._values, rows


def ask_driver(
    connection: Any, text: str, parameters: Any, *, prepare: bool | None = None
) -> "psycopg.Cursor[Any]":
    """Run a text on the driver's own cursor, without what SQLAlchemy adds for each statement.

    The values of a text with $1, $2 … are a list.
    """
    driver = connection.connection.driver_connection
    cursor: psycopg.Cursor[Any] = (
        psycopg.RawCursor(driver) if isinstance(parameters, list) else driver.cursor()
    )
    for hear in connection.dispatch.before_cursor_execute:
        hear(connection, cursor, text, parameters, None, False)
    try:
        cursor.execute(text, parameters, prepare=prepare)
    except psycopg.Error as error:
        # as SQLAlchemy does: the error is wrapped, a broken connection is thrown away
        connection._handle_dbapi_exception(error, text, parameters, cursor, None)  # noqa: SLF001 - the same
    return cursor


class DriverWrite:
    """One INSERT of the product, asked of libpq itself: a value for each $1, $2 …, as text, or as
    bytes for `bytea`.

    The driver prepares it and remembers what is prepared; what is, is sent in one call, without
    the driver's cursor, which would take more than the statement. On a connection of the pool it
    leaves with what is asked next, at the latest with the COMMIT, so nothing may depend on it.
    """

    __slots__ = ("_formats", "_key", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._key: Any = None  # the driver's, of this text and the types of its values
        self._formats: list[int] = []

    def run(self, connection: Any, values: list[str | bytes]) -> None:
        driver = connection.connection.driver_connection
        prepared = driver._prepared._names  # noqa: SLF001 - no public name
        name = prepared.get(self._key)
        if name is None:
            ask_driver(connection, self._text, values, prepare=True)
            self._formats = [int(isinstance(each, bytes)) for each in values]
            self._key = next((key for key in prepared if key[0] == self._text.encode()), None)
            return
        for hear in connection.dispatch.before_cursor_execute:
            hear(connection, None, self._text, values, None, False)
        sent = [each if isinstance(each, bytes) else each.encode() for each in values]
        try:
            if isinstance(driver, DriverConnection):
                driver.hold((name, sent, self._formats))
                return
            result = driver.pgconn.exec_prepared(name, sent, self._formats)
            if result.status != ExecStatus.COMMAND_OK:
                raise psycopg.errors.error_from_result(result, driver.info.encoding)
        except psycopg.Error as error:
            connection._handle_dbapi_exception(error, self._text, values, None, None)  # noqa: SLF001 - as above


def _filtered(statement: Any) -> ClauseElement:
    """The statement with the filter of `kernel/db.py`; a text names its tenant itself, if at all."""
    if not hasattr(statement, "options"):
        return cast("ClauseElement", statement)
    mine = select(bindparam(TENANT, type_=Uuid())).scalar_subquery()
    only_mine = with_loader_criteria(
        db.Tenanted, lambda cls: cls.tenant_id == mine, include_aliases=True
    )
    return cast("ClauseElement", statement.options(only_mine))


class _Statement:
    """What the driver gets: the text, the constants of the statement, and how values are sent and
    read.
    """

    __slots__ = ("_constants", "_order", "_planned_once", "_readers", "_row", "_senders", "text")

    def __init__(
        self, compiled: Any, row: Callable[[Any], Any] | None, *, planned_once: bool
    ) -> None:
        if any(each.required for each in compiled.post_compile_params):
            raise TypeError(f"the text depends on its values: {compiled}")
        missing = {name: None for name, each in compiled.binds.items() if each.required}
        expanded = compiled.construct_expanded_state(missing)  # its constant lists, written out
        self.text, self._order = _numbered(expanded.statement)
        self._senders: Mapping[str, Callable[[Any], Any]] = {
            **compiled._bind_processors,  # noqa: SLF001 - no public name
            **expanded.processors,
        }
        self._constants = self._sent(expanded.parameters)
        self._readers = _readers(compiled)
        self._row, self._planned_once = row, planned_once

    def ask(self, connection: Any, values: Mapping[str, Any]) -> list[Any]:
        parameters = self.values(values)
        if self._planned_once:
            driver = connection.connection.driver_connection
            driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            cursor = ask_driver(connection, self.text, parameters, prepare=True)
            driver.execute("SET LOCAL plan_cache_mode = auto")
        else:
            cursor = ask_driver(connection, self.text, parameters)
        return self.made(
            cursor.fetchall(), lambda: [column.name for column in cursor.description or ()]
        )

    def values(self, values: Mapping[str, Any]) -> list[Any]:
        """What is sent for them, in the order of the text."""
        known = {**self._constants, **self._sent(values)}
        return [known[name] for name in self._order]

    def made(self, found: Sequence[Any], names: Callable[[], list[str]]) -> list[Any]:
        """The rows of the driver's; `names` of their columns are asked for once."""
        make = self._row
        if make is None:
            # the names are known when the statement has run, so no class can be written
            rows = namedtuple("Row", names(), rename=True)  # type: ignore[misc]  # noqa: PYI024 - as above
            make = self._row = rows._make
        return [make(self._read(row) if self._readers else row) for row in found]

    def _sent(self, values: Mapping[str, Any]) -> dict[str, Any]:
        sent = dict(values)
        for name in self._senders.keys() & sent.keys():
            if sent[name] is not None:
                sent[name] = self._senders[name](sent[name])
        return sent

    def _read(self, row: Sequence[Any]) -> list[Any]:
        values = list(row)
        for place, read in self._readers:
            values[place] = read(values[place])
        return values


def _numbered(text: str) -> tuple[str, list[str]]:
    """Return PostgreSQL's own text, with $1 for the first name, and the names in their order.

    The driver keeps what it makes of a short text only, and a long one takes it milliseconds.
    """
    places: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[1]
        return "%" if name is None else f"${places.setdefault(name, len(places) + 1)}"

    return PLACEHOLDER.sub(number, text), list(places)


def _readers(compiled: Any) -> list[tuple[int, Callable[[Any], Any]]]:
    """Of the columns whose type SQLAlchemy reads otherwise than the driver."""
    columns = getattr(compiled, "_result_columns", ())
    types = [column[3].dialect_impl(compiled.dialect) for column in columns]
    readers = [each.result_processor(compiled.dialect, None) for each in types]
    return [(place, read) for place, read in enumerate(readers) if read is not None]
