"""Faults that tests of transactions inject into a connection."""

from contextlib import suppress

import psycopg


def terminate(server, pid: int) -> None:
    """Cut the connection of that backend, and wait until it is gone."""
    with psycopg.connect(server.super_uri, autocommit=True) as connection, suppress(psycopg.Error):
        connection.execute("SELECT pg_terminate_backend(%s, 2000)", [pid])
