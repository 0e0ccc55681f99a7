"""The inbox measured, for a person with 10,000 items and for a person with few.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table
python -m bench.inbox                     this section alone

The limit is one bare statement that sorts as many rows and returns their first page. The counts
at the top of every page are read again after each commit of the tenant, so a commit precedes
each measurement.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psycopg
from flask import Flask, url_for

from bench import evidence, world
from bench.client import Target, median_ms, serving_console, warm
from bench.table import Row
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.tenants.models import Tenant
from governance.kernel.data import embedded
from governance.publishing.inbox import queries
from tests import make

VAR = Path("var/bench")
ITEMS = 10_000
PERSON = "contributor"  # The owner of the evidence that evidence._fill writes.

BARE = """
SELECT id, title, created_at FROM evidence WHERE tenant_id = %s
ORDER BY created_at, ref LIMIT 51
"""


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    """Read the counts of the small tenant, then fill it, then read them again and request the page."""
    world.analyze(server)
    few = _counted(app, rounds)
    items = ITEMS // (50 if quick else 1)
    evidence._fill(server, items * 3 // 2)  # Two thirds of them need their owner.
    world.analyze(server)
    many = _counted(app, rounds)
    with app.app_context():
        cookie = make.cookie(PERSON)
    with app.test_request_context():
        path = url_for("inbox.index", tenant="acme")
    with (
        serving_console(environment, VAR / "web.log") as (port, _),
        psycopg.connect(server.app_url.replace("+psycopg", ""), autocommit=True) as bare,
    ):
        tenant_id = make.system_actor("acme").tenant_id
        bare.execute("SELECT set_config('app.tenant', %s, false)", [str(tenant_id)])
        target = Target("inbox", port, path, {"Cookie": f"session={cookie}"})
        warm(target)
        page, floor = [], []
        for _ in range(3 * rounds):
            floor.append(_median(lambda: bare.execute(BARE, [tenant_id]).fetchall()))
            _commit(app)
            page.append(median_ms(target, 0, least=1))
    return [
        ("counts of an inbox after a commit, few items", few, "ms", None, "a few ms"),
        (f"the same, {items} items", many, "ms", None, ""),
        (
            f"inbox of {items} items after a commit, its first page",
            statistics.median(page),
            "ms",
            statistics.median(a / b for a, b in zip(floor, page, strict=True)),
            "≤ 100 ms",
        ),
    ]


def _counted(app: Flask, rounds: int) -> float:
    """Return milliseconds of the counts alone, each time after another entry of the log."""
    taken = []
    for _ in range(3 * rounds):
        _commit(app)
        with app.app_context(), make.acting(PERSON, read_only=True):
            begun = time.perf_counter()
            queries.tally()
            taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def _commit(app: Flask) -> None:
    """Commit an entry of the log, so that nothing of the tenant stays cached."""
    with app.app_context(), make.acting("admin") as who:
        tenant, after = Tenant(id=who.tenant_id), {"name": "B"}
        record(registry["tenant.settings.changed"], tenant, before={"name": "A"}, after=after)


def _median(act: Callable[[], object], times: int = 7) -> float:
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def main() -> None:

    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    environment = world.environment(server)
    os.environ.update(environment)
    app = world.application()
    world.fill()
    for name, value, unit, ratio, goal in measure(app, server, environment, rounds=3, quick=False):
        print(f"{name:60}{value:10.2f} {unit:3}{'' if ratio is None else f'{ratio:8.3f}'}  {goal}")


if __name__ == "__main__":
    main()
