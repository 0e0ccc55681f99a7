"""The register of AI systems measured: its list and the horizon of models, with 2,000 systems.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table
python -m bench.systems                   this section alone

The limit is one bare statement that returns as many rows in the order of the list. Each time a page
is measured, something was committed just before, so nothing of the tenant is remembered.
"""

import os
import statistics
import time
from collections.abc import Mapping
from pathlib import Path

import psycopg
from flask import Flask, url_for
from sqlalchemy import text

from bench import world
from bench.client import Target, median_ms, serving_console, warm
from governance.kernel import embedded, tenant_revision
from governance.kernel.db import session
from tests import make

VAR = Path("var/bench")
SYSTEMS = 2_000
SLUG = "globex"  # the tenant of the other sections stays as it is
type Row = tuple[str, float, str, float | None, str]  # what, value, unit, ratio, the goal

FILL = """
INSERT INTO ai_systems
  (tenant_id, id, key, name, lane, purpose, stage, ai_act_class, ai_act_reason, models, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), 'system-' || lpad(n::text, 5, '0'),
  'System ' || n, (ARRAY['standard','high_risk'])[1 + n % 2], 'Ranks what comes in, part ' || n,
  (ARRAY['live','restricted','in_review'])[1 + n % 3],
  (ARRAY['minimal','high_risk','transparency'])[1 + n % 3], 'Annex III',
  jsonb_build_array(jsonb_build_object('provider', 'Helio', 'name', 'model-' || n % 40,
    'version', '', 'retires_on', '2027-03-' || lpad((1 + n % 28)::text, 2, '0'), 'successor', '')),
  now()
FROM generate_series(1, :count) n
"""
BARE = """
SELECT key, name, lane, purpose, stage, ai_act_class FROM ai_systems
WHERE tenant_id = %s AND retired_at IS NULL ORDER BY key LIMIT 51
"""
PAGES = {
    "register of {n:,} systems, its list": ("systems.index", {}),
    "the same, filtered by stage and class": (
        "systems.index",
        {"stage": "live", "class": "minimal"},
    ),
    "model retirements of {n:,} systems": ("systems.model_retirements", {}),
}


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    """Fill the second tenant, then ask for each page after a commit."""
    count = SYSTEMS // (20 if quick else 1)
    with app.app_context(), make.acting("admin", SLUG):
        session().execute(text(FILL), {"count": count})
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
        for what, (endpoint, values) in PAGES.items():
            with app.test_request_context():
                path = url_for(endpoint, tenant=SLUG, **values)
            target = Target(what, port, path, {"Cookie": f"session={cookie}"})
            warm(target)
            page, floor = [], []
            for _ in range(3 * rounds):
                begun = time.perf_counter()
                bare.execute(BARE, [tenant_id]).fetchall()
                floor.append(1000 * (time.perf_counter() - begun))
                _commit(app)
                page.append(median_ms(target, 0, least=1))
            ratio = statistics.median(a / b for a, b in zip(floor, page, strict=True))
            goal = "≤ 100 ms" if endpoint == "systems.index" else ""
            rows.append((what.format(n=count), statistics.median(page), "ms", ratio, goal))
    return rows


def _commit(app: Flask) -> None:
    """Change the tenant, after which nothing of it is remembered."""
    with app.app_context(), make.acting("admin", SLUG):
        tenant_revision.advance()


def main() -> None:
    """Measure this section alone."""
    from bench.run import _application, _environment

    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    environment = _environment(server)
    os.environ.update(environment)
    app = _application()
    world.fill()
    for what, value, unit, ratio, goal in measure(app, server, environment, rounds=3, quick=False):
        print(f"{what:<62}{value:>9.2f} {unit:<5}{'' if ratio is None else f'{ratio:.2f}'}  {goal}")


if __name__ == "__main__":
    main()
