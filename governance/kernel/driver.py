"""The driver's connection, with fewer waits: a round trip costs a page more than what it asks.

    DriverConnection        psycopg's, which need not wait for the COMMIT of what has only read, and
                            holds a write until something else is asked, or until the COMMIT
    ask_together(…)         several commands in one round trip (libpq's pipeline)

PostgreSQL ends a transaction when the COMMIT arrives, whether or not somebody waits for the answer;
it is taken when the connection is next used. If the connection was lost by then, a reader lost
nothing, and `kernel/db.py` replaces it.

libpq's get_result keeps the interpreter's lock; who waits for an answer waits for the socket first.
"""

import select
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

from governance.kernel import turns

type Reader = Any  # psycopg's Transformer
type Command = tuple[bytes, Sequence[Any]]  # its text with $1, $2 …, and their values
# a prepared statement's name, its values as they are sent, and their formats
type Write = tuple[bytes, Sequence[bytes], Sequence[int]]

MAX_PREPARED = 64  # commands of one connection; the product has a handful
MAX_HELD = 20  # writes of a connection, of 60 kB at most


@dataclass(frozen=True, slots=True)
class CommandRows:
    """The rows that a command returned, as the driver reads them."""

    rows: list[Any]
    result: Any

    def names(self) -> list[str]:
        """Of their columns."""
        return [self.result.fname(place).decode() for place in range(self.result.nfields)]


class DriverConnection(psycopg.Connection[Any]):
    """`only_reads` is set for a transaction that may write nothing; its end is not waited for."""

    only_reads = False
    _is_ending = False

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.prepared: dict[tuple[bytes, Any], bytes] = {}  # names by text and types
        self.numbers = count()
        self.held: list[Write] = []

    def settle(self) -> None:
        """Take the answer to the last COMMIT, and write what is held.

        Raises OperationalError when there is no answer, and the error of a write that is refused.
        """
        if self._is_ending:
            self._is_ending = False
            answers = list(iter(lambda: _next_result(self.pgconn), None))
            if not answers or answers[-1].status != ExecStatus.COMMAND_OK:
                raise psycopg.OperationalError(self.pgconn.get_error_message())
        if self.held:
            self._write_held()

    def hold(self, write: Write) -> None:
        """Keep a write until something else is asked of this transaction, or its end: a refusal
        comes then.
        """
        self.held.append(write)
        if len(self.held) == MAX_HELD or not self._is_in(TransactionStatus.INTRANS):
            self.settle()

    def commit_held(self) -> None:
        """Write what is held and COMMIT, in one round trip; a refused write refuses both."""
        self._write_held(b"COMMIT")

    def _write_held(self, *commands: bytes) -> None:
        held, self.held = self.held, []
        pgconn = self.pgconn
        with _pipeline(pgconn):
            for name, values, formats in held:
                pgconn.send_query_prepared(name, values, formats)
            for each in commands:
                pgconn.send_query_params(each, None)
            _sync(pgconn)
            for result in _results(pgconn, len(held) + len(commands)):
                _check(result)

    def wait(self, *given: Any, **named: Any) -> Any:
        """Whatever comes next finds an idle connection."""
        self.settle()
        with turns.elsewhere():
            return super().wait(*given, **named)

    def end_reading(self) -> bool:
        """Send the COMMIT of a transaction that has only read; False where it must be waited for."""
        is_read = self.only_reads and self._is_in(TransactionStatus.INTRANS) and not self.held
        self.only_reads = False
        if is_read:
            self.pgconn.send_query(b"COMMIT")
            self._is_ending = True
            if self.pgconn.flush():  # the socket is full
                self.settle()
        return is_read

    def rollback(self) -> None:
        """Roll back below psycopg, which would forget all that is prepared; PostgreSQL keeps it.

        The pool asks this of each connection; nothing is left to do where the end is under way.
        """
        self.only_reads = False
        self.held.clear()
        if self._is_ending:
            return
        if self._is_in(TransactionStatus.INTRANS, TransactionStatus.INERROR):
            result = self.pgconn.exec_(b"ROLLBACK")
            if result.status != ExecStatus.COMMAND_OK:
                raise error_from_result(result)
        else:
            super().rollback()

    def _is_in(self, *states: TransactionStatus) -> bool:
        return self.pgconn.transaction_status in states


def ask_together(driver: DriverConnection, commands: Sequence[Command]) -> list[CommandRows]:
    """Run the commands in one round trip, prepared; return the answer to each.

    Raises psycopg's error of the first that fails; those after it were not run.
    """
    pgconn = driver.pgconn
    try:
        with _pipeline(pgconn):
            expected = [each for text, values in commands for each in _send(driver, text, values)]
            _sync(pgconn)
            return _answers(_results(pgconn, len(expected)), expected)
    except psycopg.Error:
        driver.prepared.clear()
        raise


def _send(driver: DriverConnection, text: bytes, values: Sequence[Any]) -> list[Reader | None]:
    """Send one command; return what reads each answer, None for that of its preparation."""
    reader = Transformer(driver)
    expected: list[Reader | None] = []
    sent = reader.dump_sequence(values, [PyFormat.AUTO] * len(values))
    key = text, reader.types
    name = driver.prepared.get(key)
    if name is None:
        if len(driver.prepared) == MAX_PREPARED:
            raise psycopg.OperationalError("too many kinds of commands are asked together")
        name = driver.prepared[key] = b"together_%d" % next(driver.numbers)
        driver.pgconn.send_prepare(name, text, reader.types)
        expected.append(None)
    driver.pgconn.send_query_prepared(name, sent, reader.formats)
    return [*expected, reader]


def _answers(results: Sequence[Any], expected: Sequence[Reader | None]) -> list[CommandRows]:
    """The answer to each command."""
    answers: list[CommandRows] = []
    for result, reader in zip(results, expected, strict=True):
        _check(result)
        if reader is not None:
            reader.set_pgresult(result)
            answers.append(CommandRows(reader.load_rows(0, result.ntuples, tuple), result))
    return answers


# ---- libpq's pipeline


@contextmanager
def _pipeline(pgconn: Any) -> Iterator[None]:
    pgconn.enter_pipeline_mode()
    try:
        yield
    finally:
        if pgconn.pipeline_status != PipelineStatus.OFF:
            pgconn.exit_pipeline_mode()


def _sync(pgconn: Any) -> None:
    """Send everything."""
    pgconn.pipeline_sync()
    while pgconn.flush():
        pgconn.consume_input()


def _results(pgconn: Any, expected: int) -> list[Any]:
    """All of them, whichever is an error, so that the connection is ready for the next command."""
    results = []
    for _ in range(expected):
        result = _next_result(pgconn)
        if result is None or _next_result(pgconn) is not None:  # None follows each answer
            raise psycopg.OperationalError("the connection to the database was lost")
        results.append(result)
    if _next_result(pgconn) is None:  # of the end of the pipeline
        raise psycopg.OperationalError("the connection to the database was lost")
    return results


def _next_result(pgconn: Any) -> Any:
    """Meanwhile other threads work."""
    while pgconn.is_busy():
        answer = select.poll()
        answer.register(pgconn.socket, select.POLLIN)
        with turns.elsewhere():
            answer.poll()
        pgconn.consume_input()
    return pgconn.get_result()


def _check(result: Any) -> None:
    if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
        raise error_from_result(result)
