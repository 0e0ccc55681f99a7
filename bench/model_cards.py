"""The model card of an AI system measured: 500 runs of 12 measures, for members and the public.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table (filled_lists.py)
python -m bench.model_cards               this section alone
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile
from uuid import UUID

from flask import Flask

from bench import filled_lists
from bench.filled_lists import SLUG, MeasuredPage, Row
from bench.filled_suites import CASES, NAMES, published_suite
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.model_cards import actions, queries, record
from tests import make
from tests.operations.evaluations.series_helpers import week_run
from tests.publishing.model_cards.card_helpers import FACTS, drilled

KEY = "bench-model-card"
RUNS, A_WEEK = 500, 5
GOAL = "≤ 300 ms; ratio to a bare read"
BARE = """
WITH newest AS (SELECT tenant_id, id FROM evaluation_runs WHERE tenant_id = %s
  ORDER BY ran_at DESC LIMIT 1)
SELECT r.*, m.* FROM newest n JOIN evaluation_results r ON r.tenant_id = n.tenant_id
  AND r.run_id = n.id JOIN evaluation_suite_measures m ON m.tenant_id = r.tenant_id
  AND m.id = r.measure_id"""


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    """Judge the runs, publish the card, then request its pages."""
    runs = RUNS // (20 if quick else 1)
    with app.app_context():
        token = _publish(runs)
    what = f"model card of a system with {runs} runs"
    pages = [
        MeasuredPage(f"{what}, its page", "model_cards.index", BARE, {"system_key": KEY}, GOAL),
        MeasuredPage("the same, for anybody", "public_model_cards.show", BARE, token, GOAL),
    ]
    return filled_lists.measure_lists(
        app, server, environment, [], pages, rounds=rounds, quick=quick
    )


def _publish(runs: int) -> dict[str, str]:
    """Publish the card. Return {"token": …}, the value in its public address."""
    with make.acting("admin", SLUG):
        system_id = _evaluated(runs)
    drilled(system_id, slug=SLUG)
    with make.acting("admin", SLUG):
        system = register.system(KEY)
        actions.publish(system, seen=record.assembled(system).digest)
        return {"token": queries.public_token(system.id) or ""}


def _evaluated(runs: int) -> UUID:
    suite = published_suite(KEY)
    system = systems.register(
        key=KEY,
        stage="live",
        name=KEY,
        lane="standard",
        purpose="Bench.",
        owner_id=None,
        facts=FACTS,
    )
    last = monday_of(clock.today()) - timedelta(weeks=1)
    scores = dict.fromkeys(NAMES, (CASES - 30, CASES))
    with NamedTemporaryFile() as cases:
        for number in range(runs):
            week = last - timedelta(weeks=number // A_WEEK)
            week_run(week, suite, system, scores, Path(cases.name))
    return system.id


if __name__ == "__main__":
    filled_lists.main(measure)
