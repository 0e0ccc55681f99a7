"""The walk on the demo, and on a tenant of 2,000 controls, 50,000 evidence items and 500 systems.

    measure(server, environment, quick=…) -> rows of the table

`governance demo --once` builds the demo once in var/bench/demo, and later runs reuse it. It is
served without its jobs and AI products, so that nothing else runs during the walk.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg

from bench import systems, world
from bench.table import Row
from governance.foundation.search import indexing
from governance.kernel.data import embedded
from tests import make

VAR = Path("var/bench")
DEMO, DEMO_PORT = VAR / "demo", 8790
CONTROLS, EVIDENCE, SYSTEMS = 2_000, 50_000, 500


def measure(server: embedded.Embedded, environment: Mapping[str, str], *, quick: bool) -> list[Row]:
    rows = _walk("demo", ["acme", "globex", "console"], _demo())
    if not quick:
        _fill(server)
        large = {**environment, "WALK_POSTGRES": str((VAR / "pg").resolve())}
        rows += _walk("large tenant", ["acme", "globex", "console"], large)
    return rows


def _walk(name: str, slugs: Sequence[str], environment: Mapping[str, str]) -> list[Row]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.walk", name, *slugs],
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return [(what, value, unit, ratio, goal) for what, value, unit, ratio, goal in json.loads(
        done.stdout.splitlines()[-1]
    )]  # fmt: skip


def _demo() -> dict[str, str]:
    """Build the demo if it isn't there, start its database, and return the web's environment."""

    if not (DEMO / "world.json").exists():
        command = [Path(sys.executable).with_name("governance"), "demo", "--once"]
        command += ["--port", str(DEMO_PORT), "--data", str(DEMO)]
        without = {n: v for n, v in os.environ.items() if not _is_of_the_bench(n)}
        subprocess.run([str(each) for each in command], env=without, check=True)
    # The demo keeps its database next to its folder (governance/demo/run.py).
    server = embedded.start(VAR / "pg", f"demo_{DEMO_PORT}")
    return {
        **os.environ,
        "GOVERNANCE_DEMO": "1",
        "GOVERNANCE_PUBLIC_URL": f"http://127.0.0.1:{DEMO_PORT}",
        "GOVERNANCE_VAR": str(VAR.resolve()),
        "GOVERNANCE_STORAGE_URL": f"file:{VAR.resolve() / 'objects' / f'demo_{DEMO_PORT}'}",
        "DATABASE_URL": server.app_url,
        "GOVERNANCE_OWNER_DATABASE_URL": server.owner_url,
        "WALK_POSTGRES": str((VAR / "pg").resolve()),
    }


def _is_of_the_bench(name: str) -> bool:
    return name == "DATABASE_URL" or name.startswith("GOVERNANCE_")


def _fill(server: embedded.Embedded) -> None:
    """Fill Acme by SQL. Every tenth evidence item has three versions; a third are overdue."""
    values = {
        "tenant": make.system_actor("acme").tenant_id,
        "person": make.person_id("contributor"),
        "reviewer": make.person_id("reviewer"),
        "controls": CONTROLS,
        "evidence": EVIDENCE,
    }
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        for statement in FILL:
            connection.execute(statement, values)
        connection.execute("SELECT set_config('app.tenant', %(tenant)s::text, false)", values)
        connection.execute(systems.FILL.replace(":count", str(SYSTEMS)))
    with make.acting("admin"):
        indexing.rebuild()
    world.sequence()
    world.analyze(server)


FILL = (
    """
INSERT INTO controls
  (tenant_id, id, ref, title, does, kind, automation, cadence, owner_id, version, created_at)
SELECT %(tenant)s, gen_random_uuid(), 'LT-' || lpad(n::text, 4, '0'), 'Access review of node ' || n,
  'Reviews who may do what on node ' || n, 'preventive', 'manual', 'quarterly',
  CASE WHEN n %% 3 = 0 THEN %(person)s END, 1, now()
FROM generate_series(1, %(controls)s) n
""",
    """
INSERT INTO control_mappings (tenant_id, id, control_id, requirement_id, coverage, created_at)
SELECT c.tenant_id, gen_random_uuid(), c.id, r.id, 'partial', now()
FROM (SELECT *, row_number() OVER (ORDER BY ref) AS n FROM controls
      WHERE tenant_id = %(tenant)s AND ref LIKE 'LT-%%') c
JOIN (SELECT r.id, row_number() OVER (ORDER BY r.ref) - 1 AS n, count(*) OVER () AS of
      FROM requirements r JOIN adoptions a ON a.framework_id = r.framework_id
      WHERE a.tenant_id = %(tenant)s) r ON r.n = c.n %% r.of
""",
    """
INSERT INTO evidence
  (tenant_id, id, ref, title, kind, cadence, confidentiality, owner_id, version, created_at)
SELECT %(tenant)s, gen_random_uuid(), 'EV-' || (100000 + n), 'Review record ' || n, 'record',
  'quarterly', 'internal', CASE WHEN n %% 4 > 0 THEN %(person)s END, 1, now() - interval '90 days'
FROM generate_series(1, %(evidence)s) n
""",
    """
INSERT INTO evidence_links (tenant_id, id, evidence_id, control_id, note, created_at)
SELECT e.tenant_id, gen_random_uuid(), e.id, c.id, '', now()
FROM (SELECT *, row_number() OVER (ORDER BY ref) - 1 AS n FROM evidence
      WHERE tenant_id = %(tenant)s AND ref LIKE 'EV-1_____') e
JOIN (SELECT *, row_number() OVER (ORDER BY ref) - 1 AS n FROM controls
      WHERE tenant_id = %(tenant)s AND ref LIKE 'LT-%%') c ON c.n = e.n %% %(controls)s
""",
    """
INSERT INTO evidence_versions (tenant_id, id, evidence_id, number, url, source, collected_at,
  uploaded_at, uploaded_by, period_from, period_to, valid_until, created_at)
SELECT tenant_id, gen_random_uuid(), id, number, 'https://records.example/' || ref, 'filled',
  now() - interval '20 days', now() - interval '20 days', %(person)s, current_date - 90,
  current_date - 20, current_date + (substr(ref, 4)::int %% 3 - 1) * 18, now() - interval '20 days'
FROM evidence, generate_series(1, 3) number
WHERE (number = 1 OR substr(ref, 4)::int %% 10 = 0)
  AND tenant_id = %(tenant)s AND ref LIKE 'EV-1_____'
""",
    """
INSERT INTO evidence_reviews
  (tenant_id, id, version_id, decision, reason, reviewed_by, reviewed_at, created_at)
SELECT tenant_id, gen_random_uuid(), id, 'accepted', '', %(reviewer)s, now() - interval '19 days',
  now() - interval '19 days'
FROM evidence_versions WHERE tenant_id = %(tenant)s AND source = 'filled'
""",
)
