"""The driver's connection, with fewer waits: a round trip costs a page more than what it asks.

    DriverConnection        psycopg's, which need not wait for the COMMIT of what has only read
    ask_together(…)         several commands in one round trip (libpq's pipeline)

PostgreSQL ends a transaction when the COMMIT arrives, whether or not somebody waits for the answer;
it is taken when the connection is next used. If the connection was lost by then, a reader lost
nothing, and `kernel/db.py` replaces it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import psycopg
from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, PipelineStatus, TransactionStatus

type Reader = Any  # psycopg's Transformer
type Command = tuple[bytes, Sequence[Any]]  # its text with $1, $2 …, and their values

MAX_PREPARED = 64  # commands of one connection; the product has a handful


@dataclass(frozen=True, slots=True)
class Answer:
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

    def settle(self) -> None:
        """Take the answer to the last COMMIT. Raises OperationalError when there is none."""
        if not self._is_ending:
            return
        self._is_ending = False
        answers = list(iter(self.pgconn.get_result, None))
        if not answers or answers[-1].status != ExecStatus.COMMAND_OK:
            raise psycopg.OperationalError(self.pgconn.get_error_message())

    def wait(self, *given: Any, **named: Any) -> Any:
        """Whatever comes next finds an idle connection."""
        self.settle()
        return super().wait(*given, **named)

    def end_reading(self) -> bool:
        """Send the COMMIT of a transaction that has only read; False where it must be waited for."""
        is_read = self.only_reads and self._is_in(TransactionStatus.INTRANS)
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


def ask_together(driver: DriverConnection, commands: Sequence[Command]) -> list[Answer]:
    """Run the commands in one round trip, prepared; return the answer to each.

    Raises psycopg's error of the first that fails; those after it were not run.
    """
    pgconn = driver.pgconn
    pgconn.enter_pipeline_mode()
    try:
        expected = [each for text, values in commands for each in _send(driver, text, values)]
        pgconn.pipeline_sync()
        while pgconn.flush():
            pgconn.consume_input()
        return _answers(pgconn, expected)
    except psycopg.Error:
        driver.prepared.clear()
        raise
    finally:
        if pgconn.pipeline_status != PipelineStatus.OFF:
            pgconn.exit_pipeline_mode()


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


def _answers(pgconn: Any, expected: Sequence[Reader | None]) -> list[Answer]:
    """The answer to each command; all are taken before the first error is raised."""
    answers: list[Answer] = []
    failed: Any = None
    for reader in expected:
        result = pgconn.get_result()
        if result is None or pgconn.get_result() is not None:  # None follows each answer
            raise psycopg.OperationalError("the connection to the database was lost")
        if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
            failed = failed or result
        elif reader is not None:
            reader.set_pgresult(result)
            answers.append(Answer(reader.load_rows(0, result.ntuples, tuple), result))
    if pgconn.get_result() is None:  # of the end of the pipeline
        raise psycopg.OperationalError("the connection to the database was lost")
    if failed is not None:
        raise error_from_result(failed)
    return answers
