"""Search measured over a tenant with 100,000 objects, against a bare indexed lookup of one row.

measure(app, server, rounds=…, quick=…) -> rows of the table
python -m bench.search                    this section alone
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from flask import Flask
from sqlalchemy import text

from bench import world
from bench.table import Row
from governance.foundation.search import finding, indexing
from governance.kernel.data import embedded
from governance.kernel.data.db import session
from governance.kernel.pages.search_words import typed
from tests import make

VAR = Path("var/bench")
OBJECTIVE_MS = 50
OBJECTS = 100_000
SLUG = "globex"  # Its index is large. The tenant of the other sections stays as it is.

TYPED = {
    "a reference": "EV-012345",
    "a rare word": "node 4711",
    "a word of all objects": "review",
    "the first letter of a word": "r",
    "three words of very many": "quarterly access review",
    "two words that never meet": "controlled quarterly",
    "nothing": "zzz",
}
TITLES = (
    "(ARRAY['Quarterly','Monthly','Yearly','Weekly'])[1 + n % 4] || ' review of '"
    " || (ARRAY['access','backups','vendors','policies','models'])[1 + n % 5]"
    " || ' on node ' || n || ' by team ' || n % 100"
)
EVIDENCE = f"""
INSERT INTO evidence (tenant_id, id, ref, title, kind, cadence, confidentiality, version, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), 'EV-' || lpad(n::text, 6, '0'),
  {TITLES}, 'report', 'quarterly', 'internal', 1, now()
FROM generate_series(1, :count) n
"""
CONTROLS = f"""
INSERT INTO controls
  (tenant_id, id, ref, title, does, kind, automation, cadence, version, created_at)
SELECT current_setting('app.tenant')::uuid, gen_random_uuid(), 'CTL-' || lpad(n::text, 6, '0'),
  'Controlled ' || {TITLES}, '', 'preventive', 'manual', 'quarterly', 1, now()
FROM generate_series(1, :count) n
"""
BARE = "SELECT id, title FROM evidence WHERE tenant_id = %s AND ref = %s"


def measure(app: Flask, server: embedded.Embedded, *, rounds: int, quick: bool) -> list[Row]:
    """Fill the second tenant, then search for different words, and select one row by bare SQL."""
    count = OBJECTS // (50 if quick else 1)
    with make.acting("admin", SLUG):
        session().execute(text(EVIDENCE), {"count": count * 7 // 10})
        session().execute(text(CONTROLS), {"count": count * 3 // 10})
    started = time.perf_counter()
    with make.acting("admin", SLUG):
        built = indexing.rebuild()
    rows: list[Row] = [
        (f"search index of {built:,} objects built", time.perf_counter() - started, "s", None, "")
    ]
    world.analyze(server)
    with make.acting("admin", SLUG, read_only=True) as who:
        tenant_id = who.tenant_id
    with psycopg.connect(server.app_url.replace("+psycopg", ""), autocommit=True) as bare:
        bare.execute("SELECT set_config('app.tenant', %s, false)", [str(tenant_id)])

        def look_up() -> None:
            bare.execute(BARE, [tenant_id, "EV-012345"]).fetchall()

        for name, words in TYPED.items():
            taken, floor = [], []
            for _ in range(max(3, rounds)):
                floor.append(_median(look_up))
                taken.append(_median(lambda words=words: _search(app, words)))  # type: ignore[misc] # a default binds it
            best, limit = statistics.median(taken), statistics.median(floor)
            goal = f"< {OBJECTIVE_MS} ms"
            rows.append((f"search for {name}: {words}", best, "ms", limit / best, goal))
    return rows


def _search(app: Flask, words: str) -> None:
    with app.test_request_context(f"/t/{SLUG}/jump"), make.acting("admin", SLUG, read_only=True):
        finding.find(typed(words), words)


def _median(act: Callable[[], None], times: int = 7) -> float:
    """Return the median milliseconds of several calls."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        taken.append(1000 * (time.perf_counter() - started))
    return statistics.median(taken)


def main() -> None:

    parser = argparse.ArgumentParser(prog="bench.search")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    os.environ.update(world.environment(server))
    app = world.application()
    make.create_world()
    for name, value, unit, ratio, goal in measure(app, server, rounds=3, quick=options.quick):
        print(f"{name:60}{value:10.2f} {unit:3}{'' if ratio is None else f'{ratio:8.3f}'}  {goal}")


if __name__ == "__main__":
    main()
