"""Indicators measured: minutes ingested over HTTP, and a day of them rolled up.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table
python -m bench.measurements                          this section alone

The limit of ingest is COPY of the same rows into a table with the same columns and key in the
same database, the most that PostgreSQL itself accepts. The limit of the rollup is DuckDB over
the same minutes as Parquet.
"""

import argparse
import http.client
import json
import os
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import psycopg
from flask import Flask

from bench import world
from bench.client import resident_megabytes, serving_console
from bench.table import Row
from governance.foundation.api_keys import actions as keys
from governance.kernel import clock, current
from governance.kernel.data import embedded
from governance.kernel.data.db import transaction
from governance.kernel.data.monthly_partitions import utc_month
from governance.kernel.intervals import Span
from governance.operations.measurements import actions, partitions, queries, rebuilding
from governance.operations.systems import actions as systems
from tests import make

VAR = Path("var/bench")
INDICATORS, MINUTES_EACH = 125, 80  # A batch has 10,000 rows; six rounds stay within 48 hours.
BATCHES = 5  # Batches of a round.
OBJECTIVES = 1000
MINUTE = timedelta(minutes=1)
COPIED = "bench_minutes"
type Minute = tuple[str, datetime, int, int]


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    objectives = OBJECTIVES // (20 if quick else 1)
    with app.app_context():
        ids, secret = _defined(INDICATORS)
        rows = _ingested(server, environment, ids, secret, min(rounds, 5))
        rows += _rolled_up(server, objectives, min(rounds, 5))
    return rows


def _defined(count: int) -> tuple[dict[str, UUID], str]:
    with make.acting("admin"):
        system = systems.register(
            key="measured",
            stage="live",
            name="Measured",
            lane="standard",
            purpose="Bench.",
            owner_id=None,
        )
        ids = {
            f"measured-{n}": actions.define(
                key=f"measured-{n}", name=f"Measured {n}", system_id=system.id, kind="ratio"
            ).id
            for n in range(count)
        }
        return ids, keys.create("exporter", ["indicators:write"])[1]


# ---- ingest


def _ingested(
    server: embedded.Embedded,
    environment: Mapping[str, str],
    ids: Mapping[str, UUID],
    secret: str,
    rounds: int,
) -> list[Row]:
    with make.acting("admin") as who:
        tenant_id = who.tenant_id
        partitions.MINUTES.create_ahead()
        partitions.MINUTES.ensure([utc_month(clock.now() - actions.MAX_LATENESS)])
    _create_copied(server)
    sent, copied, grown = [], [], []
    end = clock.now().replace(second=0, microsecond=0)
    with serving_console(environment, VAR / "web.log") as (port, pid):
        for number in range(rounds + 1):
            batches = [
                _batch(ids, end - ((number * BATCHES + n) * MINUTES_EACH) * MINUTE)
                for n in range(BATCHES)
            ]
            copied.append(_copy(server, tenant_id, ids, batches))
            sent.append(_send(port, secret, batches))
            grown.append(resident_megabytes(pid))
    total = BATCHES * INDICATORS * MINUTES_EACH
    sent, copied = sent[1:], copied[1:]  # The first round warms up.
    return [
        ("COPY of minutes", total / statistics.median(copied) / 1000, "k/s", None, ""),
        (
            "the same over HTTP, rolled up, in batches of 10,000",
            total / statistics.median(sent) / 1000,
            "k/s",
            _ratio(copied, sent),
            "≥ 0.25 of COPY",
        ),
        (
            "memory of the worker, after more of them",
            grown[-1],
            "MB",
            grown[-1] / grown[0],
            "flat, ≤ 1.1",
        ),
    ]


def _batch(ids: Mapping[str, UUID], end: datetime) -> list[Minute]:
    """Return minutes of every indicator, as an exporter sends them: minute by minute."""
    return [
        (key, end - n * MINUTE, 995 - place % 7, 1000)
        for n in range(MINUTES_EACH, 0, -1)
        for place, key in enumerate(ids)
    ]


def _create_copied(server: embedded.Embedded) -> None:
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {COPIED}")
        connection.execute(f"CREATE TABLE {COPIED} (LIKE indicator_minutes INCLUDING ALL)")


def _copy(
    server: embedded.Embedded,
    tenant_id: UUID,
    ids: Mapping[str, UUID],
    batches: Sequence[Sequence[Minute]],
) -> float:
    now = clock.now().isoformat()
    texts = [
        "".join(
            f"{tenant_id}\t{ids[key]}\t{at.isoformat()}\t{now}\t{good}\t{total}\tf\n"
            for key, at, good, total in batch
        ).encode()
        for batch in batches
    ]
    with psycopg.connect(world.superuser(server)) as connection:
        begun = time.perf_counter()
        for each in texts:
            with (
                connection.cursor() as cursor,
                cursor.copy(
                    f"COPY {COPIED} (tenant_id, indicator_id, at, received_at, good, total, down)"
                    " FROM STDIN"
                ) as copy,
            ):
                copy.write(each)
            connection.commit()
        return time.perf_counter() - begun


def _send(port: int, secret: str, batches: Sequence[Sequence[Minute]]) -> float:
    bodies = [
        json.dumps(
            {
                "rows": [
                    {"indicator": key, "at": f"{at:%Y-%m-%dT%H:%M}:00Z", "good": g, "total": t}
                    for key, at, g, t in batch
                ]
            },
            separators=(",", ":"),
        ).encode()
        for batch in batches
    ]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.perf_counter()
    for body in bodies:
        headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
        connection.request("POST", "/api/v1/indicators", body, headers)
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status != 200 or answer["accepted"] != INDICATORS * MINUTES_EACH:
            raise SystemExit(f"the batch was answered {reply.status}: {str(answer)[:300]}")
    taken = time.perf_counter() - begun
    connection.close()
    return taken


# ---- rollup


def _rolled_up(server: embedded.Embedded, objectives: int, rounds: int) -> list[Row]:
    """Time the sums of a day: read as pages do, and recomputed as the command does."""
    day = clock.now().replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    with make.acting("admin", "globex") as who:
        system = systems.register(
            key="measured",
            stage="live",
            name="Measured",
            lane="standard",
            purpose="Bench.",
            owner_id=None,
        )
        ids = [
            actions.define(
                key=f"measured-{n}", name=f"Measured {n}", system_id=system.id, kind="ratio"
            ).id
            for n in range(objectives)
        ]
        tenant_id = who.tenant_id
    with make.acting("admin", "globex"):
        partitions.MINUTES.ensure([utc_month(day)])
    _fill(server, tenant_id, day)
    world.analyze(server)
    span, file = Span(day, day + timedelta(days=1)), VAR / "minutes.parquet"
    _parquet(server, tenant_id, file)
    actor = make.actor("admin", "globex")
    with current.acting_as(actor), transaction():
        rebuilding.rebuild(ids, span)
    windows = [(each, [span]) for each in ids]
    read, counted, theirs = [], [], []
    for _ in range(rounds + 1):
        theirs.append(_in_duckdb(file))
        with current.acting_as(actor), transaction(read_only=True):
            begun = time.perf_counter()
            if sum(found.minutes for found in queries.counts_of_many(windows)) != objectives * 1440:
                raise SystemExit("the rollups differ from the count")
            read.append(time.perf_counter() - begun)
        with current.acting_as(actor), transaction():
            begun = time.perf_counter()
            if rebuilding.rebuild(ids, span):
                raise SystemExit("the rollups differ from the count")
            counted.append(time.perf_counter() - begun)
    file.unlink()
    read, counted, theirs = read[1:], counted[1:], theirs[1:]
    name = f"{objectives:,} objectives, a day of minutes"
    return [
        (f"{name} in DuckDB, from Parquet", statistics.median(theirs) * 1000, "ms", None, ""),
        (
            "the same from the rollups that the batches keep",
            statistics.median(read) * 1000,
            "ms",
            _ratio(read, theirs),
            "≤ 3 of DuckDB",
        ),
        (
            "the same recounted minute by minute, and compared",
            statistics.median(counted) * 1000,
            "ms",
            _ratio(counted, theirs),
            "",
        ),
    ]


def _ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the ratio within each round, then the median of the rounds."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


FILL = """
INSERT INTO indicator_minutes (tenant_id, indicator_id, at, received_at, good, total, down)
SELECT i.tenant_id, i.id, %(day)s + n * interval '1 minute', now(), 990 + n %% 10, 1000, false
FROM generate_series(0, 1439) n, indicators i WHERE i.tenant_id = %(tenant)s ORDER BY n, i.id
"""


def _fill(server: embedded.Embedded, tenant_id: UUID, day: datetime) -> None:
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        connection.execute(FILL, {"day": day, "tenant": tenant_id})


def _parquet(server: embedded.Embedded, tenant_id: UUID, file: Path) -> None:
    """Write the same minutes as Parquet, the ids as UUIDs."""
    table = VAR / "minutes.csv"
    columns = "indicator_id, at AT TIME ZONE 'UTC' AS minute, good, total, down"
    query = f"SELECT {columns} FROM indicator_minutes WHERE tenant_id = '{tenant_id}' ORDER BY at"
    with (
        psycopg.connect(world.superuser(server)) as connection,
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)") as copy,
        table.open("wb") as out,
    ):
        for piece in copy:
            out.write(piece)
    types = "{'indicator_id': 'UUID', 'minute': 'TIMESTAMP', 'good': 'BIGINT', 'total': 'BIGINT',"
    types += " 'down': 'BOOLEAN'}"
    duckdb.sql(
        f"COPY (SELECT * FROM read_csv('{table}', columns={types}, header=true))"
        f" TO '{file}' (FORMAT parquet)"
    )
    table.unlink()


def _in_duckdb(file: Path) -> float:
    """Roll up minutes to hours and hours to days in DuckDB, as the product does."""
    sums = "count(*) AS minutes, count(*) FILTER (WHERE down) AS down, sum(good) AS good"
    with duckdb.connect() as connection:
        begun = time.perf_counter()
        connection.execute(
            f"CREATE TABLE hours AS SELECT indicator_id, date_trunc('hour', minute) AS hour, {sums},"
            f" sum(total) AS total FROM '{file}' GROUP BY 1, 2"
        )
        connection.execute(
            "SELECT indicator_id, date_trunc('day', hour), sum(minutes), sum(down), sum(good),"
            " sum(total) FROM hours GROUP BY 1, 2"
        ).fetchall()
        return time.perf_counter() - begun


def main() -> None:
    """Measure this section alone."""

    parser = argparse.ArgumentParser(prog="bench.measurements")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    environment = world.environment(server)
    os.environ.update(environment)
    app = world.application()
    make.create_world()
    for what, value, unit, ratio, goal in measure(
        app, server, environment, rounds=options.rounds, quick=options.quick
    ):
        shown = "" if ratio is None else f"{ratio:.2f}"
        print(f"{what:<62}{value:>9.2f} {unit:<5}{shown:>5}  {goal}")


if __name__ == "__main__":
    main()
