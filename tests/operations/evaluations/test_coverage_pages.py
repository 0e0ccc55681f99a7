"""The OWASP risks that each AI system's evaluations test, by edition."""

from datetime import UTC, date, datetime, timedelta

import pytest

from governance.kernel import clock
from governance.operations.evaluations import queries
from governance.operations.evaluations.coverage import owasp
from governance.operations.evaluations.coverage import queries as coverage
from governance.operations.evaluations.files.records import RunOutcome
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.evaluations.suites.task_packs import PACKS
from governance.operations.systems import actions as system_actions
from governance.operations.systems import queries as register
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.operations.evaluations.series_helpers import week_run

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
WEEK = date(2026, 11, 23)
PAGE = "evaluations/coverage"
LLM_2026, LLM_2025, AGENTIC = owasp.EDITIONS


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            for key in ("claims-triage", "support-assistant", "ad-copywriter"):
                system(key)
        yield


@pytest.fixture
def judged(tmp_path):
    """Return a function that judges a past run of a system with these scores."""
    cases = tmp_path / "cases"
    cases.touch()

    def judge(key, back=0, scores=None, **more):
        with make.acting("admin"):
            week_run(
                WEEK - timedelta(weeks=back),
                queries.suite("claims-grounding"),
                register.system(key),
                scores or {"grounded": (95, 100)},
                cases,
                **more,
            )

    return judge


def cells(edition=LLM_2026):
    """Return the state of each risk by system: ok within 30 days, due later; "never" is omitted."""
    with make.acting("admin"):
        found = coverage.systems()
        tested = coverage.tested([each.id for each in found.rows], edition)
        return {
            (each.key, risk): coverage.RiskCell(at, NOW).state[0]
            for each in found.rows
            for risk in edition.risks
            if (at := tested.get((each.id, risk)))
        }


def test_a_risk_is_covered_this_month_longer_ago_or_never(app, judged):
    judged("claims-triage")
    judged("claims-triage", 9)
    judged("support-assistant", 9)
    assert cells() == {
        ("claims-triage", "LLM07:2026"): "ok",
        ("support-assistant", "LLM07:2026"): "due",
    }
    page = visitor(app, "viewer").get(PAGE).text
    assert "0 of 10 OWASP risks are tested in two systems or more" in page
    assert "LLM07:2026 Misinformation: 1 of 3 AI systems" in page
    assert page.count("never tested") == 28


def test_each_edition_has_its_own_ids(app, judged):
    judged("claims-triage")
    assert list(cells(LLM_2025)) == [("claims-triage", "LLM09:2025")]
    assert cells(AGENTIC) == {}
    page = visitor(app, "viewer").get(PAGE + "?edition=agentic-2026").text
    assert "ASI10:2026" in page
    assert "Rogue Agents" in page
    assert "LLM07:2026" in visitor(app, "viewer").get(PAGE + "?edition=nonsense").text


def test_what_evaluated_nothing_covers_nothing(app, judged):
    """Cover nothing by a failed run, a measure without samples or a withdrawn version."""
    judged("claims-triage", outcome=RunOutcome.FAILED)
    judged("support-assistant", scores={"task_success": (9, 10)})
    assert cells() == {}
    judged("ad-copywriter")
    assert cells() == {("ad-copywriter", "LLM07:2026"): "ok"}
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        suite_actions.withdraw(queries.version(suite.id), suite, reason="Half of the cases leaked.")
    assert cells() == {}


def test_a_measure_that_fails_tests_its_risk_all_the_same(judged):
    judged("claims-triage", scores={"grounded": (10, 1000)})
    assert cells() == {("claims-triage", "LLM07:2026"): "ok"}


def test_a_retired_system_and_a_neighbour_do_not_count(app, judged):
    judged("claims-triage")
    judged("support-assistant")
    week = visitor(app, "viewer").get("evaluations/").text
    assert "1 of 10 OWASP risks are tested in two systems or more" in week
    with make.acting("admin"):
        system_actions.retire(register.system("claims-triage"), reason="Replaced.")
    page = visitor(app, "viewer").get(PAGE).text
    assert "LLM07:2026 Misinformation: 1 of 2 AI systems" in page
    assert "claims-triage" not in page
    neighbour = visitor(app, "admin", "globex").get(PAGE).text
    assert "support-assistant" not in neighbour


def test_the_page_takes_the_same_statements_for_any_number_of_systems(app, judged, statements):
    reader = visitor(app, "viewer")
    with statements() as few:
        reader.get(PAGE)
    with make.acting("admin"):
        for number in range(12):
            system(f"system-{number}")
    for number in range(4):
        judged(f"system-{number}")
    with statements() as many:
        reader.get(PAGE)
    assert len(many) <= len(few)  # One of them is for the notes of the tabs.


def test_every_list_has_ten_ids_and_task_packs_name_known_ones():
    assert [len(edition.risks) for edition in owasp.EDITIONS] == [10, 10, 10]
    assert owasp.RISKS["LLM06:2025"] == "Excessive Agency"
    assert owasp.RISKS["LLM06:2026"] == "Unbounded Consumption"
    named = [risk for pack in PACKS.values() for each in pack.measures for risk in each.risks]
    assert owasp.unknown([*named, "LLM07", "ASI11:2026"]) == ["LLM07", "ASI11:2026"]
