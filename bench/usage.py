"""Usage measured: events ingested over HTTP.

    measure(app, server, environment, rounds=…) -> rows of the table

The limit is COPY of the same rows into a table with the same columns and indexes, and a unique
index on their ids: the most that PostgreSQL itself accepts.

After the last batch the days must contain every event. One round of the job that runs every
minute must then give every event its cost.
"""

import http.client
import json
import statistics
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask

from bench import world
from bench.client import resident_megabytes, serving_console
from bench.table import Row
from governance.economics.prices import jobs
from governance.economics.usage import partitions
from governance.foundation.api_keys import actions as keys
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.operations.systems import actions as systems
from tests import make

VAR = Path("var/bench")
EVENTS, BATCHES = 10_000, 5  # Events of a batch, batches of a round.
SYSTEM, COPIED = "used", "bench_usage"
SECOND = timedelta(seconds=1)
MINUTE = 60
OUTCOMES = ("success", "success", "success", "refused", "failed", "retried")
type Event = tuple[str, datetime, str, str, str, str, str, int, int, int]


def measure(
    app: Flask, server: embedded.Embedded, environment: Mapping[str, str], *, rounds: int
) -> list[Row]:
    with app.app_context(), make.acting("admin") as who:
        tenant_id = who.tenant_id
        system_id = systems.register(
            key=SYSTEM, stage="live", name="Used", lane="standard", purpose="Bench.", owner_id=None
        ).id
        secret = keys.create("product", ["usage:write"])[1]
        partitions.EVENTS.create_ahead()
    _create_copied(server)
    sent, copied, grown = [], [], []
    with serving_console(environment, VAR / "web.log") as (port, pid):
        for number in range(min(rounds, 5) + 1):
            batches = [_batch(number * BATCHES + n) for n in range(BATCHES)]
            copied.append(_copy(server, tenant_id, system_id, batches))
            sent.append(_send(port, secret, batches))
            grown.append(resident_megabytes(pid))
    costed = _collect(app, server, tenant_id, len(sent) * BATCHES * EVENTS)
    total, sent, copied = BATCHES * EVENTS, sent[1:], copied[1:]  # The first round warms up.
    return [
        ("COPY of usage events", total / statistics.median(copied) / 1000, "k/s", None, ""),
        (
            "the same over HTTP, deduplicated and rolled up, in batches of 10,000",
            total / statistics.median(sent) / 1000,
            "k/s",
            statistics.median(copied) / statistics.median(sent),
            "≥ 0.3 of COPY",
        ),
        (
            "days are complete with the answer; costs, by the job of each minute",
            costed,
            "s",
            costed / MINUTE,
            "≤ a minute",
        ),
        (
            "memory of the worker, after more of them",
            grown[-1],
            "MB",
            grown[-1] / grown[0],
            "flat, ≤ 1.1",
        ),
    ]


def _batch(number: int) -> list[Event]:
    """Return events of a few features and models, as an AI product sends them."""
    start = clock.now().replace(microsecond=0) - (number + 1) * EVENTS * SECOND / 10
    return [
        (
            f"req-{number}-{n:05}",
            start + n * SECOND / 10,
            f"feature-{n % 3}",
            f"model-{n % 4}",
            OUTCOMES[n % 6],
            f"task-{number}-{n // 3}",
            f"u-{n % 997}",
            500 + n % 3000,
            n % 7 * 1000,
            100 + n % 900,
        )
        for n in range(EVENTS)
    ]


def _create_copied(server: embedded.Embedded) -> None:
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {COPIED}")
        connection.execute(f"CREATE TABLE {COPIED} (LIKE usage_events INCLUDING ALL)")
        connection.execute(f"CREATE UNIQUE INDEX ON {COPIED} (tenant_id, event_id)")


def _copy(
    server: embedded.Embedded,
    tenant_id: UUID,
    system_id: UUID,
    batches: Sequence[Sequence[Event]],
) -> float:
    now = clock.now().isoformat()
    texts = [
        "".join(
            f"{tenant_id}\t{at.isoformat()}\t{now}\t{name}\t{system_id}\t{feature}\tprovider\t"
            f"{model}\t{outcome}\t{name}\t{task}\t{user}\t{read}\t{cached}\t0\t{written}\t0\n"
            for name, at, feature, model, outcome, task, user, read, cached, written in batch
        ).encode()
        for batch in batches
    ]
    with psycopg.connect(world.superuser(server)) as connection:
        begun = time.perf_counter()
        for each in texts:
            with (
                connection.cursor() as cursor,
                cursor.copy(
                    f"COPY {COPIED} (tenant_id, at, received_at, event_id, system_id, feature,"
                    " provider, model, outcome, request, task, person, input_tokens,"
                    " cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens)"
                    " FROM STDIN"
                ) as copy,
            ):
                copy.write(each)
            connection.commit()
        return time.perf_counter() - begun


def _send(port: int, secret: str, batches: Sequence[Sequence[Event]]) -> float:
    bodies = [json.dumps({"events": list(map(_sent, batch))}).encode() for batch in batches]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    begun = time.perf_counter()
    for body in bodies:
        connection.request("POST", "/api/v1/usage", body, headers)
        reply = connection.getresponse()
        answer = json.loads(reply.read())
        if reply.status != 200 or answer["accepted"] != EVENTS:
            raise SystemExit(f"the batch was answered {reply.status}: {str(answer)[:300]}")
    taken = time.perf_counter() - begun
    connection.close()
    return taken


def _collect(app: Flask, server: embedded.Embedded, tenant_id: UUID, events: int) -> float:
    """Return the seconds of the job that gives the usage of every day its cost."""
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        _check(connection, "usage_days", "tenant_id", tenant_id, events)
        begun = time.perf_counter()
        with app.app_context():
            jobs.collect_usage_costs()
        taken = time.perf_counter() - begun
        _check(connection, "usage_costs", "customer_id", tenant_id, events)
    return taken


def _check(
    connection: psycopg.Connection[Any], table: str, column: str, tenant_id: UUID, events: int
) -> None:
    query = f"SELECT sum(requests) FROM {table} WHERE {column} = %s"
    row = connection.execute(query, [tenant_id]).fetchone()
    if row is None or row[0] != events:
        raise SystemExit(f"{table} has {row} of {events:,} events")


def _sent(event: Event) -> dict[str, object]:
    name, at, feature, model, outcome, task, user, read, cached, written = event
    return {
        "id": name,
        "at": at.isoformat(),
        "system": SYSTEM,
        "feature": feature,
        "provider": "provider",
        "model": model,
        "outcome": outcome,
        "request": name,
        "task": task,
        "user": user,
        "tokens": {"input": read, "cache_read": cached, "output": written},
    }
