"""Two evaluation runs compared case by case: 50,000 cases each, seven measures.

    measure(app, rounds=…, quick=…) -> rows of the table
    python -m bench.comparisons        this section alone

The limit is PostgreSQL joining the same cases and counting those whose first score changed.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from flask import Flask
from sqlalchemy import text

from bench import world
from bench.table import Row
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import queries
from governance.operations.evaluations.comparisons import comparing
from governance.operations.evaluations.comparisons import counts as comparison_counts
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import actions as systems
from tests import make

VAR = Path("var/bench")
CASES = 50_000
GOAL_MS = 1000
FILL = text(
    "INSERT INTO evaluation_run_cases (tenant_id, run_id, case_digest, repetition, outcome, source,"
    " latency_ms, cost, scores)"
    " SELECT :tenant, :run, substr(sha256(n::text::bytea), 1, 16), 1, 0,"
    " CASE WHEN :shared THEN 'page ' || n / 5 ELSE '' END, 400 + n % 977, 0.01,"
    " ARRAY[(n % 20 <> :wrong)::int, (n % 50 <> :wrong)::int, (n % 9 <> :wrong)::int,"
    " (n % 7 <> :wrong)::int, 'NaN', 'NaN', 'NaN']::real[]"
    " FROM generate_series(1, :cases) AS n"
)
BARE = text(
    "SELECT count(*) FILTER (WHERE b.scores[1] <> a.scores[1]) FROM evaluation_run_cases a"
    " JOIN evaluation_run_cases b USING (tenant_id, case_digest, repetition)"
    " WHERE a.run_id = :old AND b.run_id = :new"
)


def measure(app: Flask, *, rounds: int, quick: bool) -> list[Row]:
    cases = CASES // (10 if quick else 1)
    with app.app_context():
        return _compared(cases, rounds, shared=False) + _compared(cases, rounds, shared=True)


def _compared(cases: int, rounds: int, *, shared: bool) -> list[Row]:
    with make.acting("admin"):
        old, new = _runs(cases, shared=shared)
    pair = {"old": old, "new": new}
    bare = [_timed(lambda: _bare(pair)) for _ in range(rounds + 1)]
    taken = [_timed(lambda: comparing.compare(old, new)) for _ in range(rounds + 1)]
    # The first round warms up.
    found, limit = statistics.median(taken[1:]), statistics.median(bare[1:])
    how = "five of each source" if shared else "without sources"
    what = f"two runs of {cases:,} cases compared, {how}; beside the join"
    return [(what, found, "ms", found / limit, f"at most {GOAL_MS} ms")]


def _bare(pair: dict[str, UUID]) -> None:
    # The product joins by hash, too, because nothing has analyzed the table yet.
    comparison_counts.join_by_hash()
    session().execute(BARE, pair).all()


def _timed(act: Callable[[], object]) -> float:
    with make.acting("viewer", read_only=True):
        begun = time.perf_counter()
        act()
        return (time.perf_counter() - begun) * 1000


def _runs(cases: int, *, shared: bool) -> tuple[UUID, UUID]:
    key = "compared-sources" if shared else "compared"
    suite = suite_actions.create(key=key, name=key, purpose="Bench.", pack="support")
    version = queries.versions(suite.id)[0]
    suite_actions.publish(version, suite)
    system = systems.register(
        key=key, stage="live", name=key, lane="standard", purpose="Bench.", owner_id=None
    )
    ids = []
    for wrong in (3, 4):
        run = EvaluationRun(
            system_id=system.id,
            version_id=version.id,
            release=f"release {wrong}",
            number=queries.next_number(),
            sha256=f"{key}-{wrong}",
            state="judged",
            outcome="completed",
            week=clock.today(),
            cases=cases,
            created_at=clock.now(),
        )
        session().add(run)
        session().flush()
        values = {"tenant": run.tenant_id, "run": run.id, "shared": shared}
        session().execute(FILL, values | {"wrong": wrong, "cases": cases})
        ids.append(run.id)
    return ids[0], ids[1]


def main() -> None:
    """Measure this section alone."""

    parser = argparse.ArgumentParser(prog="bench.comparisons")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    server = world.database(VAR / "pg")
    os.environ.update(world.environment(server))
    app = world.application()
    make.create_world()
    for what, value, unit, ratio, goal in measure(app, rounds=options.rounds, quick=options.quick):
        shown = "" if ratio is None else f"{ratio:.2f}"
        print(f"{what:<72}{value:>9.2f} {unit:<5}{shown:>5}  {goal}")


if __name__ == "__main__":
    main()
