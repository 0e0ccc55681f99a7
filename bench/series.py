"""The weekly series of an AI system measured: 104 weeks of twelve measures, as charts and a table.

measure(app, server, environment, rounds=…, quick=…) -> rows of the table (filled_lists.py)
python -m bench.series                    this section alone
"""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from flask import Flask

from bench import filled_lists
from bench.filled_lists import SLUG, MeasuredPage, Row
from bench.filled_suites import CASES, NAMES, published_suite
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems import actions as systems
from tests import make
from tests.operations.evaluations.series_helpers import week_run

KEY = "bench-series"
WEEKS = 104
GOAL = "≤ 100 ms; ratio to a bare read"
BARE = """
SELECT * FROM evaluation_results r JOIN evaluation_runs e ON e.tenant_id = r.tenant_id
  AND e.id = r.run_id JOIN evaluation_suite_measures m ON m.tenant_id = r.tenant_id
  AND m.id = r.measure_id WHERE r.tenant_id = %s"""


def measure(
    app: Flask,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    quick: bool,
) -> list[Row]:
    """Judge one run a week, then request the page and read the same rows with bare SQL."""
    weeks = WEEKS // (20 if quick else 1)
    with app.app_context(), make.acting("admin", SLUG):
        _fill(weeks)
    what, page = f"series of {weeks} weeks and {len(NAMES)} measures", "evaluations.trend"
    pages = [
        MeasuredPage(f"{what}, as charts", page, BARE, {"system_key": KEY}, GOAL),
        MeasuredPage(f"{what}, as a table", page, BARE, {"system_key": KEY, "show": "table"}, GOAL),
    ]
    return filled_lists.measure_lists(
        app, server, environment, [], pages, rounds=rounds, quick=quick
    )


def _fill(weeks: int) -> None:
    suite = published_suite(KEY)
    system = systems.register(
        key=KEY, stage="live", name=KEY, lane="standard", purpose="Bench.", owner_id=None
    )
    last = monday_of(clock.today()) - timedelta(weeks=1)
    with NamedTemporaryFile() as cases:
        for back in range(weeks):
            scores = {
                name: (CASES - 50 - (back * n) % 13 - 20 * (back < 30 and n == 3), CASES)
                for n, name in enumerate(NAMES)
            }
            week = last - timedelta(weeks=back)
            week_run(week, suite, system, scores, Path(cases.name))


if __name__ == "__main__":
    filled_lists.main(measure)
