"""Read rows of PostgreSQL as lines of text, in pieces of 32 MB."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
from sqlalchemy import text

from governance.kernel.data.db import session

PIECE_BYTES = 32 * 1024 * 1024


def allow_an_hour() -> None:
    """Extend the statement time-out of this transaction to an hour."""
    session().execute(text("SET LOCAL statement_timeout = '60min'"))


def lines(query: str, values: Mapping[str, Any] | None = None) -> Iterator[bytes]:
    """Yield the rows of a query in pieces of whole lines. It refers to `values` as %(name)s."""
    allow_an_hour()
    raw = session().connection().connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the driver must be psycopg 3")
    held = bytearray()
    with raw.cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT".encode(), values) as copy:
        for row in copy:
            held += row
            if len(held) >= PIECE_BYTES:
                end = held.rfind(b"\n") + 1
                yield bytes(held[:end])
                del held[:end]
    if held:
        yield bytes(held)
