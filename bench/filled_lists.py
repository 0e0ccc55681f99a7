"""Lists of a tenant with many rows, measured; shared by the sections of one feature each.

    measure_lists(app, server, environment, fill, pages, …) -> rows of the table
    main(measure)                                           a section alone

The limit is one bare statement that returns as many rows in the order of the list. A commit precedes
each measurement of a page, so that nothing of the tenant is cached.
"""

import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from flask import Flask, url_for
from sqlalchemy import text

from bench import world
from bench.client import Target, median_ms, serving_console, warm
from bench.table import Row
from governance.kernel.data import embedded, tenant_revision
from governance.kernel.data.db import session
from tests import make

VAR = Path("var/bench")
ROWS = 2_000
SLUG = "globex"  # The tenant of the other sections stays as it is.


@dataclass(frozen=True, slots=True)
class MeasuredPage:
    """A page and the bare statement for its rows. `{n:,}` in its name is their number."""

    what: str
    endpoint: str
    bare: str
    values: Mapping[str, str] = field(default_factory=dict)
    goal: str = ""


def measure_lists(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    fill: Sequence[str],
    pages: Sequence[MeasuredPage],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    """Fill the second tenant by statements with `:count`, then request each page after a commit."""
    count = ROWS // (20 if quick else 1)
    with app.app_context(), make.acting("admin", SLUG):
        for statement in fill:
            session().execute(text(statement), {"count": count} if ":count" in statement else {})
    world.analyze(server)
    with app.app_context():
        cookie = make.cookie("compliance_officer", SLUG)
    rows: list[Row] = []
    with (
        serving_console(environment, VAR / "web.log") as (port, _),
        psycopg.connect(server.app_url.replace("+psycopg", ""), autocommit=True) as bare,
    ):
        tenant_id = make.system_actor(SLUG).tenant_id
        bare.execute("SELECT set_config('app.tenant', %s, false)", [str(tenant_id)])
        for each in pages:
            with app.test_request_context():
                path = url_for(each.endpoint, tenant=SLUG, **each.values)
            target = Target(each.what, port, path, {"Cookie": f"session={cookie}"})
            warm(target)
            page, floor = [], []
            for _ in range(3 * rounds):
                begun = time.perf_counter()
                bare.execute(each.bare, [tenant_id]).fetchall()
                floor.append(1000 * (time.perf_counter() - begun))
                _commit(app)
                page.append(median_ms(target, 0, least=1))
            ratio = statistics.median(a / b for a, b in zip(floor, page, strict=True))
            what = each.what.format(n=count)
            rows.append((what, statistics.median(page), "ms", ratio, each.goal))
    return rows


def _commit(app: Flask) -> None:
    """Change the tenant, so that nothing of it stays cached."""
    with app.app_context(), make.acting("admin", SLUG):
        tenant_revision.advance()


def main(measure: Callable[..., list[Row]]) -> None:
    """Measure one section alone."""

    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    environment = world.environment(server)
    os.environ.update(environment)
    app = world.application()
    world.fill()
    for what, value, unit, ratio, goal in measure(app, server, environment, rounds=3, quick=False):
        print(f"{what:<62}{value:>9.2f} {unit:<5}{'' if ratio is None else f'{ratio:.2f}'}  {goal}")
