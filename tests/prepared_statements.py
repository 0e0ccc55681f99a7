"""Prepared statements that survive the rollback of a test.

psycopg forgets all of a connection's prepared statements at each ROLLBACK, even at one to a
savepoint. PostgreSQL keeps them, and planning them is a third of a page's cost here.
"""

from typing import Any

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import Connection, Engine, event

PREPARED_AFTER = 2  # Uses; psycopg's default is 5.


def keep_prepared_statements(engine: Engine, most: int) -> None:
    """Roll back below psycopg, which then has nothing to forget."""
    event.listen(engine, "connect", lambda raw, _record: _prepare_early(raw, most))
    engine.dialect.do_rollback = _roll_back
    engine.dialect.do_rollback_to_savepoint = _roll_back_to


def _prepare_early(raw: "psycopg.Connection[Any]", most: int) -> None:
    raw.prepare_threshold, raw.prepared_max = PREPARED_AFTER, most


def _roll_back(raw: Any) -> None:
    if raw.pgconn.transaction_status in {TransactionStatus.INTRANS, TransactionStatus.INERROR}:
        _run(raw, "ROLLBACK")
    else:
        raw.rollback()


def _roll_back_to(connection: Connection, name: str) -> None:
    _run(connection.connection.driver_connection, f"ROLLBACK TO SAVEPOINT {name}")


def _run(raw: Any, command: str) -> None:
    result = raw.pgconn.exec_(command.encode())
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.OperationalError(result.get_error_message())
