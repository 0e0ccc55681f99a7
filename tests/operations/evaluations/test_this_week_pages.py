"""Evaluations this week by AI system and measure: runs that count, and similar ones that don't."""

from datetime import UTC, date, datetime, timedelta

import pytest

from governance.kernel import clock
from governance.operations.evaluations import queries
from governance.operations.evaluations.files.records import RunOutcome
from governance.operations.systems import queries as register
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.operations.evaluations.series_helpers import week_run

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
WEEK = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        yield


@pytest.fixture
def judged(tmp_path):
    """Return a function that judges a past run with a number of grounded answers of 1,200."""
    cases = tmp_path / "cases"
    cases.touch()

    def judge(key="claims-triage", grounded=1190, back=0, **more):
        with make.acting("admin"):
            week_run(
                WEEK - timedelta(weeks=back),
                queries.suite("claims-grounding"),
                register.system(key),
                {"grounded": (grounded, 1200)},
                cases,
                **more,
            )

    return judge


def test_a_signal_neither_passes_nor_fails(app, judged):
    """Leave it open: the median latency is 1.6 s, and its limit of 1.5 s decides nothing."""
    judged(latencies=1200)
    page = visitor(app, "viewer").get("evaluations/").text
    assert "2 of 6 results pass" in page
    assert "Signal" in page
    assert "1.6 s" in page
    assert "0 fail" in page


def test_a_failed_run_hides_the_figure_before_it_and_says_why(app, judged):
    judged(grounded=1100)
    assert "1 of 6 results fails" in visitor(app, "viewer").get("evaluations/").text
    judged(grounded=1100, outcome=RunOutcome.FAILED)
    page = visitor(app, "viewer").get("evaluations/").text
    assert "0 of 6 results pass" in page
    assert "Run 2 failed: The judge was unreachable" in page


def test_a_system_without_a_run_this_week_has_no_result(app, judged):
    judged(back=1)
    page = visitor(app, "viewer").get("evaluations/").text
    assert "No run this week yet" in page and "results pass" not in page
    judged()
    with clock.frozen(datetime(2026, 11, 30, 0, 10, tzinfo=UTC)):
        page = visitor(app, "viewer").get("evaluations/").text
    assert "No run this week yet" in page and "results pass" not in page


def test_the_page_takes_the_same_statements_for_any_number_of_systems(app, judged, statements):
    judged()
    reader = visitor(app, "viewer")
    with statements() as few:
        reader.get("evaluations/")
    for number in range(5):
        with make.acting("admin"):
            system(f"system-{number}")
        judged(f"system-{number}")
    with statements() as many:
        reader.get("evaluations/")
    assert len(many) <= len(few), "\n".join(many)
