"""The weekly series of an AI system measured: 104 weeks of twelve measures, as a browser gets it.

    measure(app, server, environment, rounds=…, seconds=…) -> rows of the table
    python -m bench.series                    this section alone

The limit is what PostgreSQL and psycopg take to read the same results bare.
"""

import argparse
import os
import statistics
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import psycopg
from flask import Flask

from bench import world
from bench.client import Target, median_ms, serving_console, warm
from governance.kernel import clock, embedded
from governance.operations.evaluations import queries, suite_actions
from governance.operations.evaluations.task_packs import TIERS
from governance.operations.evaluations.weeks import monday_of
from governance.operations.systems import actions as systems
from tests import make
from tests.operations.evaluations.series_helpers import week_run

VAR = Path("var/bench")
WEEKS, MEASURES, CASES = 104, 12, 1000
GOAL_MS = 100
KEY = "bench-series"
RESULTS = """
SELECT * FROM evaluation_results r JOIN evaluation_runs e ON e.tenant_id = r.tenant_id
  AND e.id = r.run_id JOIN evaluation_suite_measures m ON m.tenant_id = r.tenant_id
  AND m.id = r.measure_id WHERE r.tenant_id = %s"""
type Row = tuple[str, float, str, float | None, str]  # what, value, unit, ratio, the goal


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    seconds: float,
) -> list[Row]:
    """Judge a run a week, then ask for the page, beside a bare read of the same rows."""
    with app.app_context(), make.acting("admin") as who:
        tenant_id = who.tenant_id
        _fill()
    world.analyze(server)
    with app.app_context():
        cookie = make.cookie("viewer")
    bare: list[float] = []
    with psycopg.connect(server.app_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SELECT set_config('app.tenant', %s, false)", [str(tenant_id)])
        for _ in range(rounds * 5):
            started = time.perf_counter()
            connection.execute(RESULTS, [tenant_id]).fetchall()
            bare.append(1000 * (time.perf_counter() - started))
    rows: list[Row] = []
    with serving_console(environment, VAR / "web.log") as (port, _pid):
        headers = {"Cookie": f"session={cookie}"}
        for name, path in (
            ("as charts", f"/t/acme/evaluations/systems/{KEY}"),
            ("as a table", f"/t/acme/evaluations/systems/{KEY}?show=table"),
        ):
            target = Target("series", port, path, headers)
            warm(target)
            taken = statistics.median(median_ms(target, seconds) for _ in range(rounds))
            what = f"series of {WEEKS} weeks and {MEASURES} measures, {name}"
            goal = f"≤ {GOAL_MS} ms; ratio to a bare read"
            rows.append((what, taken, "ms", taken / statistics.median(bare), goal))
    return rows


def _fill() -> None:
    suite = suite_actions.create(key=KEY, name="Bench series", purpose="Measures the page.")
    version = queries.versions(suite.id)[0]
    names = [f"measure-{n}" for n in range(MEASURES)]
    suite_actions.edit_draft(version, method="Counts.")
    suite_actions.set_measures(
        version,
        [
            suite_actions.MeasureInput(
                key=name,
                name=name,
                kind="rate",
                unit="share",
                at_least=True,
                limits=dict.fromkeys(TIERS, 0.9),
            )
            for name in names
        ],
    )
    suite_actions.publish(version, suite)
    system = systems.register(key=KEY, name=KEY, lane="standard", purpose="Bench.", owner_id=None)
    this_week = monday_of(clock.today()) - timedelta(weeks=1)
    with NamedTemporaryFile() as cases:
        for back in range(WEEKS):
            scores = {
                name: (CASES - 50 - (back * n) % 13 - 20 * (back < 30 and n == 3), CASES)
                for n, name in enumerate(names)
            }
            week = this_week - timedelta(weeks=back)
            week_run(week, suite, system, scores, Path(cases.name))


def main() -> None:
    from bench import run

    parser = argparse.ArgumentParser(prog="bench.series")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    environment = run._environment(server)
    os.environ.update(environment)
    app = run._application()
    make.create_world()
    rounds, seconds = (1, 1.0) if options.quick else (3, 2.0)
    for name, value, unit, ratio, goal in measure(
        app, server, environment, rounds=rounds, seconds=seconds
    ):
        print(f"{name:60}{value:10.2f} {unit:3}{'' if ratio is None else f'{ratio:8.3f}'}  {goal}")


if __name__ == "__main__":
    main()
