"""Charts of an AI system's measures in the last weeks, with their limits."""

from datetime import UTC, date, datetime, timedelta

import pytest

from governance.kernel import clock
from governance.operations.evaluations import queries
from governance.operations.evaluations.files.records import RunOutcome
from governance.operations.systems import queries as register
from tests import make
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.operations.evaluations.series_helpers import week_run

WEEK = date(2026, 11, 23)
PAGE = "systems/claims-triage"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(datetime(2026, 11, 25, 9, tzinfo=UTC)):
        with make.acting("admin"):
            published_suite()
            system()
        yield


@pytest.fixture
def judged(tmp_path):
    """Return a function that judges a past run."""
    cases = tmp_path / "cases"
    cases.touch()

    def judge(back, scores, **more):
        with make.acting("admin"):
            suite, triage = queries.suite("claims-grounding"), register.system("claims-triage")
            week_run(WEEK - timedelta(weeks=back), suite, triage, scores, cases, **more)

    return judge


def test_the_measure_that_misses_its_limit_comes_first(as_viewer, judged):
    for back in range(3):
        judged(back, {"grounded": (1100, 1200), "cost_per_request": (0.03, 1200)})
    page = as_viewer.get(PAGE).text
    assert "Hallucination is 8.3%" in page and "limit 3.0%" in page
    assert page.index("Hallucination is 8.3%") < page.index("Cost per request")
    assert "Share of cases by week, Claims grounding · n = 1,200" in page
    assert "23 Nov 2026" in page and "Fail" in page


def test_a_week_without_a_run_or_result_says_so(as_viewer, judged):
    judged(2, {"grounded": (1190, 1200)})
    judged(0, {}, outcome=RunOutcome.FAILED)
    page = as_viewer.get(PAGE).text
    assert "no run" in page and "failed run" in page and "Hallucination is 0.83%" in page


def test_a_system_without_results_has_no_chart(as_viewer, judged):
    assert "by week" not in as_viewer.get(PAGE).text
    judged(0, {}, outcome=RunOutcome.FAILED)
    assert "by week" not in as_viewer.get(PAGE).text


def test_the_charts_cost_four_statements_however_long_the_history_is(as_viewer, judged, statements):
    scores = {"grounded": (1100, 1200), "cost_per_request": (0.03, 1200)}
    judged(0, scores)
    as_viewer.get(PAGE)
    with statements() as few:
        as_viewer.get(PAGE)
    for back in range(1, 12):
        judged(back, scores)
    as_viewer.get(PAGE)
    with statements() as many:
        as_viewer.get(PAGE)
    assert len(many) == len(few)
