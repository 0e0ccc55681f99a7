"""A usage file measured: read, checked and stored, as the operator's finance imports it.

    measure(server) -> rows of the table

A million events; GOVERNANCE_BENCH_EVENTS sets another number, such as 10000000. The limit is the work
that no import can avoid: DuckDB reads the same file and writes its rows as text, and PostgreSQL
copies that into a table with the columns and indexes of the events and a unique index on their ids.
"""

import os
import statistics
import time
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import psycopg

from bench import world
from bench.table import Row
from bench.usage import OUTCOMES, SYSTEM, VAR
from governance.economics.imports import actions as imports
from governance.economics.imports import queries as imported
from governance.economics.usage import usage_file
from governance.economics.usage.usage_file_checks import COLUMNS
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.operations.systems import actions as systems
from governance.operations.systems.models import AISystem
from tests import make

EVENTS = int(os.environ.get("GOVERNANCE_BENCH_EVENTS", "1000000"))
COPIED = "bench_usage_file"


def measure(server: embedded.Embedded) -> list[Row]:
    """Import a tenth of the events, then all of them, and compare the second with the limit.

    The limit is measured before and after it.
    """
    system_id, tenant_id = _system()
    part, whole = VAR / "usage-part.csv", VAR / "usage.csv"
    _write(part, EVENTS // 10, "p")
    _write(whole, EVENTS, "w")
    small = _import(part)
    limits = [_limit(server, whole, tenant_id, system_id)]
    before = _resident()
    large = _import(whole)
    grown = _resident()
    limits.append(_limit(server, whole, tenant_id, system_id))
    limit = statistics.mean(limits)
    return [
        (
            f"a usage file of {EVENTS:,} events, from upload to stored",
            EVENTS / large / 1000,
            "k/s",
            limit / large,
            "≥ 0.5 of DuckDB and COPY",
        ),
        (
            "its time an event, beside a file of a tenth",
            large / EVENTS * 1e6,
            "µs",
            (large / EVENTS) / (small / (EVENTS // 10)),
            "linear, ≤ 1.2",
        ),
        ("memory of the jobs process after it", grown, "MB", grown / before, "flat, ≤ 1.1"),
    ]


def _system() -> tuple[UUID, UUID]:
    with make.acting("admin") as who:
        found = session().query(AISystem).filter(AISystem.key == SYSTEM).one_or_none()
        if found is None:
            found = systems.register(
                key=SYSTEM,
                stage="live",
                name="Used",
                lane="standard",
                purpose="Bench.",
                owner_id=None,
            )
        return found.id, who.tenant_id


def _write(path: Path, count: int, name: str) -> None:
    """Write a file of last month's events, sorted by time."""
    start = (clock.now() - timedelta(days=28)).replace(microsecond=0)
    step = timedelta(days=27) / count
    listed = ", ".join(f"'{each}'" for each in OUTCOMES)
    query = f"""
SELECT 'acme' AS tenant, '{name}-' || i AS id,
  strftime(TIMESTAMPTZ '{start.isoformat()}' + INTERVAL (i * {step.total_seconds()}) SECOND,
    '%Y-%m-%dT%H:%M:%S.%fZ') AS at, '{SYSTEM}' AS system, 'model-' || i % 4 AS model,
  [{listed}][1 + i % 6] AS outcome, 'feature-' || i % 3 AS feature, 'provider' AS provider,
  '{name}-' || i AS request, 'task-{name}-' || i // 3 AS task, 'u-' || i % 997 AS user,
  500 + i % 3000, i % 7 * 1000, 0, 100 + i % 900, 0
FROM range({count}) AS r (i)"""
    duckdb.execute("SET TimeZone = 'UTC'; SET threads = 1")
    duckdb.execute(f"COPY ({query}) TO '{path}' (HEADER false)")
    text = path.read_bytes()
    path.write_bytes(f"{','.join(COLUMNS)}\n".encode() + text)


def _import(path: Path) -> float:
    """Upload, read and apply the file. Return the seconds until its events are stored."""
    begun = time.perf_counter()
    with make.acting("operator_finance", "console"), path.open("rb") as file:
        import_id = imports.upload(usage_file.USAGE, path.name, file).id
    jobs.drain(actor_of)
    with make.acting("operator_finance", "console"):
        imports.apply(imported.file_import(import_id))
    jobs.drain(actor_of)
    taken = time.perf_counter() - begun
    with make.acting("operator_finance", "console"):
        row = imported.file_import(import_id)
        if row.state != "applied":
            raise SystemExit(f"the file is {row.state}: {row.problem or row.rejected[:3]}")
    return taken


def _resident() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _limit(server: embedded.Embedded, path: Path, tenant_id: UUID, system_id: UUID) -> float:
    """Return the seconds in which DuckDB reads the file and PostgreSQL copies its rows."""
    target = path.with_suffix(".tsv")
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {COPIED}")
        connection.execute(f"CREATE TABLE {COPIED} (LIKE usage_events INCLUDING ALL)")
        connection.execute(f"CREATE UNIQUE INDEX ON {COPIED} (tenant_id, event_id)")
    begun = time.perf_counter()
    duckdb.execute(f"""
COPY (SELECT '{tenant_id}', "at", now(), id, '{system_id}', feature, provider, model, outcome, request,
  task, "user", input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens
  FROM read_csv('{path}')) TO '{target}' (HEADER false, DELIMITER '\t')""")
    with (
        psycopg.connect(world.superuser(server)) as connection,
        connection.cursor() as cursor,
        target.open("rb") as file,
        cursor.copy(
            f"COPY {COPIED} (tenant_id, at, received_at, event_id, system_id, feature, provider,"
            " model, outcome, request, task, person, input_tokens, cache_read_tokens,"
            " cache_write_tokens, output_tokens, reasoning_tokens) FROM STDIN"
        ) as copy,
    ):
        while piece := file.read(1024 * 1024):
            copy.write(piece)
    return time.perf_counter() - begun
