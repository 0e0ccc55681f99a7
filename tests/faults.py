"""Faults and rendezvous at the database's edge, triggered by statements without replacing code.

with before_statement(database, "INTO tenant_keys", fail(RuntimeError("no keys today"))): …
with killed_in_transaction_of(database, "UPDATE log_keys", at=2), pytest.raises(Killed): …
with after_transaction_of(database, "UPDATE work_items", lambda: as_officer.post(cancel)): …
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, NoReturn

from sqlalchemy import Connection, event
from sqlalchemy.orm import Session


class TooFew(AssertionError):
    """An error: fewer statements matched than expected."""


class Killed(BaseException):
    """An error that stands for a killed process: no handler runs after it."""


def fail(error: BaseException) -> Callable[[], NoReturn]:
    """Return a function that raises this error."""

    def raises() -> NoReturn:
        raise error

    return raises


@contextmanager
def before_statement(
    connection: Connection,
    pattern: str,
    act: Callable[[], object],
    *,
    at: int = 1,
    value: str = "",
) -> Iterator[list[dict[str, Any]]]:
    """Call `act` once, before the `at`th match.

    A statement matches by `pattern` and, where `value` is given, by a parameter that starts with
    it. Yield the parameters of the matching statements, in their order.
    """
    wanted = re.compile(pattern, re.DOTALL)
    seen: list[dict[str, Any]] = []

    def hear(_conn: Any, _cursor: Any, statement: str, given: Any, *_rest: Any) -> None:
        named = given if isinstance(given, dict) else {}
        if wanted.search(statement) and (
            not value or any(str(each).startswith(value) for each in named.values())
        ):
            seen.append(dict(named))
            if len(seen) == at:
                act()

    event.listen(connection.engine, "before_cursor_execute", hear)
    try:
        yield seen
    finally:
        event.remove(connection.engine, "before_cursor_execute", hear)


@contextmanager
def killed_in_transaction_of(
    connection: Connection, pattern: str, *, at: int = 1, value: str = ""
) -> Iterator[None]:
    """Raise Killed at the next flush or commit after that statement, which rolls back all of it.

    SQLAlchemy discards a connection that an exit breaks in a statement, and a test has only one.
    """
    due: list[bool] = []

    def end(*_given: Any) -> None:
        if due:
            due.pop()
            raise Killed

    for moment in ("after_flush", "before_commit"):
        event.listen(Session, moment, end)
    try:
        with before_statement(
            connection, pattern, lambda: due.append(True), at=at, value=value
        ) as seen:
            yield
        if len(seen) < at:
            raise TooFew(f"only {len(seen)} statements match {pattern}")
    finally:
        for moment in ("after_flush", "before_commit"):
            event.remove(Session, moment, end)


@contextmanager
def after_transaction_of(
    connection: Connection, pattern: str, act: Callable[[], object], *, at: int = 1, value: str = ""
) -> Iterator[list[dict[str, Any]]]:
    """Call `act` once after the transaction of that statement, before the next one starts.

    `act` runs with the clock and the person of the test, outside the transactions of the work.
    """
    here, due = copy_context(), []

    def begin(*_given: Any) -> None:
        if due:
            due.pop()
            here.run(act)

    event.listen(connection.engine, "savepoint", begin)
    try:
        with before_statement(
            connection, pattern, lambda: due.append(True), at=at, value=value
        ) as seen:
            yield seen
    finally:
        event.remove(connection.engine, "savepoint", begin)


@contextmanager
def restored(registry: Any) -> Iterator[None]:
    """Restore the content of a list, or of a dictionary with lists or other values, afterwards."""
    if isinstance(registry, list):
        before = list(registry)
        yield
        registry[:] = before
        return
    kept = {
        key: list(value) if isinstance(value, list) else value for key, value in registry.items()
    }
    yield
    registry.clear()
    registry.update(kept)
