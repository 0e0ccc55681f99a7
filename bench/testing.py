"""Type II measured: the matrix of 120 controls and 12 months, as page, file and bare rules.

    measure(app, environment, rounds=…, seconds=…) -> rows of the table

It is in the second tenant, so that it doesn't affect the figures of other pages: 120 controls
with twelve reviewed versions each, a third of them daily or weekly, and twenty samples of 25
items.
"""

import io
import statistics
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from bench.client import Target, median_ms, serving_console, warm
from bench.table import Row
from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.testing import (
    control_scope,
    matrix_queries,
    population_actions,
    population_import,
    sample_actions,
    sample_queries,
)
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make

VAR = Path("var/bench")
CONTROLS, SAMPLES, RELEASES = 120, 20, 60
GOAL_MS = 150
CADENCES = ("daily", "weekly", "monthly", "quarterly", "per change", "per release")


def measure(
    app: Flask, environment: Mapping[str, str], *, rounds: int, seconds: float
) -> list[Row]:
    with app.app_context():
        fill()
        cookie = make.cookie("compliance_officer", "globex")
    with serving_console(dict(environment), VAR / "web.log") as (port, _):
        headers = {"Cookie": f"session={cookie}"}
        page = Target("matrix", port, "/t/globex/evidence/type-ii", headers)
        file = Target("matrix as CSV", port, "/t/globex/evidence/type-ii.csv", headers)
        for target in (page, file):
            warm(target)
        taken = {t.name: [median_ms(t, seconds) for _ in range(rounds)] for t in (page, file)}
    read = [_read(app) for _ in range(rounds)]
    return [
        (
            f"Type II: {CONTROLS} controls by 12 months, the page",
            statistics.median(taken["matrix"]),
            "ms",
            None,
            f"< {GOAL_MS} ms",
        ),
        (
            "the same as CSV, each cell explained",
            statistics.median(taken["matrix as CSV"]),
            "ms",
            None,
            "",
        ),
        ("the same, reading and rules alone", statistics.median(read), "ms", None, ""),
    ]


def _read(app: Flask) -> float:
    with app.app_context(), make.acting("compliance_officer", "globex", read_only=True):
        begun = time.perf_counter()
        rows = matrix_queries.matrix(*matrix_queries.default_period())
        taken = (time.perf_counter() - begun) * 1000
    if len(rows) != CONTROLS:
        raise SystemExit(f"the matrix has {len(rows)} controls, not {CONTROLS}")
    return taken


def fill() -> None:
    """Add controls and samples by the product's actions, and most evidence by SQL as the tenant."""
    with make.acting("compliance_officer", "globex"):
        made = [
            controls.create(
                f"T2-{n:03}",
                ControlContent(
                    title=f"Measured control {n}",
                    does="It is done.",
                    kind="preventive",
                    automation="manual",
                    cadence=CADENCES[n % len(CADENCES)],
                ),
            )
            for n in range(CONTROLS)
        ]
        session().execute(text("UPDATE controls SET created_at = now() - interval '2 years'"))
        session().execute(text(PIECES))
        session().execute(text(LINKS))
        people = {
            "by": make.person_id("admin", "globex"),
            "reviewer": make.person_id("compliance_officer", "globex"),
        }
        session().execute(text(VERSIONS), people)
        session().execute(text(REVIEWS), people)
        for control in [c for c in made if c.cadence.startswith("per ")][:SAMPLES]:
            _sample(control.id)


def _sample(control_id: object) -> None:
    today = clock.today()
    lines = "\n".join(
        ["id,on", *(f"release {n},{today - timedelta(days=5 * n)}" for n in range(RELEASES))]
    )
    control = control_scope.control_in_scope(control_id)  # type: ignore[arg-type]
    population = population_actions.freeze_population(
        control,
        key="releases",
        title="Releases",
        query="select id, on from releases",
        parameters={},
        rows=population_import.read_population(io.BytesIO(lines.encode()), "r.csv"),
        period_from=today - timedelta(days=364),
        period_to=today,
        run_at=clock.now(),
        run_by="release register",
        source="file",
    )
    sample, _ = sample_actions.draw_sample(
        population, control, attributes=["signed"], seed="441790ce"
    )
    sample_actions.record_results(
        [view.item for view in sample_queries.items(sample.id)], {"signed": "yes"}
    )


PIECES = """
INSERT INTO evidence (tenant_id, id, ref, title, kind, cadence, confidentiality, version, created_at)
SELECT tenant_id, gen_random_uuid(), 'EV-' || ref, 'Report of ' || ref, 'report', 'monthly', 'internal', 1, created_at FROM controls
"""
LINKS = """
INSERT INTO evidence_links (tenant_id, id, evidence_id, control_id, note, created_at)
SELECT e.tenant_id, gen_random_uuid(), e.id, c.id, '', c.created_at FROM evidence e JOIN controls c ON e.ref = 'EV-' || c.ref
"""
VERSIONS = """
INSERT INTO evidence_versions (tenant_id, id, evidence_id, number, url, source, collected_at, uploaded_at, uploaded_by, period_from, period_to, valid_until, created_at)
SELECT tenant_id, gen_random_uuid(), id, n, 'https://files.globex.example/' || ref, 'Link', now() - make_interval(days => 30 * (12 - n)),
  now() - make_interval(days => 30 * (12 - n)), :by, current_date - 30 * (13 - n) + 1, current_date - 30 * (12 - n), current_date + 60, now()
FROM evidence, generate_series(1, 12) n
"""
REVIEWS = """
INSERT INTO evidence_reviews (tenant_id, id, version_id, decision, reason, reviewed_by, reviewed_at, created_at)
SELECT tenant_id, gen_random_uuid(), id, 'accepted', '', :reviewer, uploaded_at + interval '1 hour', now() FROM evidence_versions
"""
