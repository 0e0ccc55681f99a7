"""Objectives measured: one over thirteen months of minutes, and a list of five hundred.

measure(app, cookie, server, environment, rounds=…, seconds=…, quick=…) -> rows of the table

The list's indicators have the rollups of a full month and the minutes at its edges: a list reads no
more. Their data starts 40 days ago.
"""

import statistics
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import psycopg
from flask import Flask, url_for

from bench import world
from bench.client import Target, median_ms, serving_console, warm
from bench.table import Row
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.kernel.data.monthly_partitions import utc_month
from governance.operations.measurements import actions as measuring
from governance.operations.measurements import partitions
from governance.operations.objectives import actions
from governance.operations.objectives.windows import minute_of
from governance.operations.systems import actions as systems
from tests import make

VAR = Path("var/bench")
OBJECTIVES, MONTHS = 500, 13
QUICK = 16  # Divisor of the number of objectives.
PAGE_MS, LIST_MS = 100, 120

# One minute in 700 has a bad request, one in 500 has no data.
COUNTS = "CASE WHEN n %% 700 = 3 THEN 19 ELSE 20 END AS good, 20 AS total"
MINUTES = f"""
INSERT INTO indicator_minutes (tenant_id, indicator_id, at, received_at, good, total, down)
SELECT %(tenant)s, i.id, at, at, good, total, false FROM unnest(%(ids)s::uuid[]) AS i (id),
  LATERAL (SELECT n, %(end)s::timestamptz - n * interval '1 minute' AS at, {COUNTS}
    FROM generate_series(%(first)s::int, %(last)s::int) AS n) AS m
WHERE n %% 500 <> 0 ON CONFLICT DO NOTHING"""
ROLLUP = """
INSERT INTO indicator_{grain}s (tenant_id, indicator_id, at, minutes, down, good, total)
SELECT %(tenant)s, i.id, at, n, 0, n * 20 - 2, n * 20
FROM unnest(%(ids)s::uuid[]) AS i (id), generate_series(date_trunc('{grain}', %(start)s::timestamptz,
  'UTC'), %(end)s::timestamptz - interval '1 minute', interval '1 {grain}') AS at,
  LATERAL (SELECT extract(epoch FROM least(at + interval '1 {grain}', %(end)s::timestamptz)
    - greatest(at, %(start)s::timestamptz))::bigint / 60) AS m (n)
ON CONFLICT DO NOTHING"""


def measure(
    app: Flask,
    cookie: str,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    seconds: float,
    quick: bool,
) -> list[Row]:
    """Fill the database, then measure the page and the list over HTTP."""
    count = OBJECTIVES // (QUICK if quick else 1)
    objective_id = _fill(app, server, count)
    world.sequence()
    world.analyze(server)
    with app.test_request_context():
        page = url_for("objectives.objective", tenant="acme", objective_id=objective_id)
        index = url_for("objectives.index", tenant="acme")
    asked = (
        (f"objective over {MONTHS} months of minutes", page, PAGE_MS),
        (f"list of {count} objectives", index, LIST_MS),
    )
    rows: list[Row] = []
    with serving_console(environment, VAR / "web.log") as (port, _pid):
        for name, path, limit in asked:
            target = Target(name, port, path, {"Cookie": f"session={cookie}"})
            warm(target)
            taken = statistics.median(median_ms(target, seconds) for _ in range(rounds))
            rows.append((name, taken, "ms", None, f"≤ {limit} ms"))
    return rows


def _fill(app: Flask, server: embedded.Embedded, count: int) -> UUID:
    """Fill the database. Return the objective whose indicator has thirteen months of minutes."""
    end = minute_of(clock.now())
    with app.app_context(), make.acting("admin") as who:
        system = systems.register(
            key="bench-objectives",
            stage="live",
            name="Bench",
            lane="standard",
            purpose="p",
            owner_id=None,
        )
        ids = [
            measuring.define(
                key=f"bench-{n}", name=f"Bench {n}", system_id=system.id, kind="ratio"
            ).id
            for n in range(count)
        ]
        made = [
            actions.create(name=f"Bench {n:03}", indicator_id=each, target=Decimal("0.99"))
            for n, each in enumerate(ids)
        ]
        wanted, tenant = made[0].id, who.tenant_id
        this = utc_month(end)
        partitions.MINUTES.ensure(this.plus(-months) for months in range(MONTHS + 1))
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        values = {"tenant": tenant, "end": end, "ids": ids[:1]}
        connection.execute(MINUTES, values | {"first": 1, "last": MONTHS * 30 * 1440})
        _roll_up(connection, values, days=MONTHS * 30)
        values |= {"ids": ids[1:]}
        for first in (1, 1440 - 60, 30 * 1440 - 60):  # The edges of what a list counts.
            connection.execute(MINUTES, values | {"first": first, "last": first + 119})
        _roll_up(connection, values, days=40)
    return wanted


def _roll_up(
    connection: "psycopg.Connection[tuple[object, ...]]", values: dict[str, object], *, days: int
) -> None:
    for grain in ("hour", "day"):
        start = connection.execute(
            "SELECT %s::timestamptz - %s * interval '1 day'", (values["end"], days)
        ).fetchone()
        if start is not None:
            connection.execute(ROLLUP.format(grain=grain), values | {"start": start[0]})
