"""Runs for this week's undecided results, requested once or sent by a command."""

import pytest

from governance.kernel import clock
from governance.operations.evaluations import queries
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import undecided_runs
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.conftest import visitor
from tests.foundation.webhooks.receiver import Receiver
from tests.operations.evaluations.api_helpers import Machine, own_run
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.operations.evaluations.runner_helpers import Runner, entries

PAGE = "evaluations/requests/undecided"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with make.acting("admin"):
        published_suite()
        system()


@pytest.fixture
def runner(app, _suite):
    with Receiver(204).serving() as receiver:
        yield Runner(app, receiver)


def open_run(passed=98, name="ci-1"):
    """Add a run of this week with too few cases to decide."""
    return own_run(100, passed, run=name, completed_at=clock.now().isoformat())


def undecided():
    with make.acting("contributor"):
        return [
            (each.system.key, each.run.release, each.wanted, each.asked is not None)
            for each in undecided_runs.undecided_runs()
        ]


def test_one_click_asks_for_the_cases_that_decide_each_run(app, runner):
    runner.judged(open_run())
    ((key, release, wanted, is_asked),) = undecided()
    assert (key, release, is_asked) == ("claims-triage", "2026.11.2", False)
    person = visitor(app, "contributor")
    assert PAGE in person.get("evaluations/").text
    page = person.get(PAGE).text
    assert "1 run would decide the open results" in page and f"{wanted:,}" in page
    assert entries() == [], "looking asks for nothing"
    assert "Asked for 1 run." in person.post(PAGE, follow=True).text
    heard = runner.asked()
    assert (heard["system"], heard["release"], heard["samples"]) == (key, release, wanted)
    assert entries() == ["sent"]


def test_a_second_click_is_refused_and_sends_nothing(app, runner):
    runner.judged(open_run())
    person = visitor(app, "contributor")
    person.post(PAGE)
    assert "requested already" in person.post(PAGE, then=409).text
    assert "Requested" in person.get(PAGE).text and "Ask for" not in person.get(PAGE).text
    assert entries() == ["sent"]


def test_a_request_that_a_person_sent_before_counts(app, runner):
    runner.judged(open_run())
    with make.acting("contributor"):
        suite = queries.suite("claims-grounding")
        request_actions.request(
            system=register.system("claims-triage"),
            suite=suite,
            version=queries.version(suite.id),
            release="2026.11.2",
        )
    visitor(app, "admin").post(PAGE, then=409)
    assert entries() == ["sent"]


def test_two_systems_are_two_requests(app, runner):
    with make.acting("admin"):
        system("support-assistant")
    runner.judged(open_run())
    runner.judged(open_run(99, "ci-2"), system="support-assistant")
    assert len(undecided()) == 2
    assert "Asked for 2 runs." in visitor(app, "contributor").post(PAGE, follow=True).text
    assert entries() == ["sent", "sent"]


def test_a_decided_week_asks_for_nothing(app, runner):
    assert undecided() == []
    person = visitor(app, "contributor")
    assert "Nothing to run" in person.get(PAGE).text
    assert "undecided" in person.post(PAGE, then=409).text
    assert entries() == []


def test_a_retired_system_is_not_run(app, runner):
    runner.judged(open_run())
    with make.acting("admin"):
        systems.retire(register.system("claims-triage"), reason="Replaced.")
    assert undecided() == []


def test_more_than_may_be_open_waits_and_the_page_says_so(app, runner, monkeypatch):
    monkeypatch.setattr(request_actions, "MAX_OPEN", 1)
    with make.acting("admin"):
        system("support-assistant")
    runner.judged(open_run())
    runner.judged(open_run(99, "ci-2"), system="support-assistant")
    said = visitor(app, "contributor").post(PAGE, follow=True).text
    assert "Asked for 1 run. 1 more run can be asked for" in said
    assert "1 requests are open" in visitor(app, "contributor").post(PAGE, then=409).text
    assert entries() == ["sent"]


def test_without_a_runner_the_page_has_a_command_for_each_run(app):
    Machine(app).judged(open_run())
    person = visitor(app, "contributor")
    page = person.get(PAGE).text
    assert "curl -X POST -T logs/run.eval" in page
    assert "system=claims-triage&amp;suite=claims-grounding&amp;version=1" in page
    assert "Ask for" not in page
    assert "No runner is registered" in person.post(PAGE, then=409).text
    assert entries() == []


def test_a_viewer_and_a_neighbour_ask_for_nothing(app, runner):
    runner.judged(open_run())
    viewer = visitor(app, "viewer")
    viewer.get(PAGE, then=403)
    viewer.post(PAGE, then=403)
    assert "Run undecided" not in viewer.get("evaluations/").text
    neighbour = visitor(app, "admin", "globex")
    assert "claims-triage" not in neighbour.get(PAGE).text
    neighbour.post(PAGE, then=409)
    assert entries() == []


def test_the_page_takes_the_same_statements_for_any_number_of_runs(app, runner, statements):
    runner.judged(open_run())
    person = visitor(app, "contributor")
    person.get(PAGE)
    with statements() as few:
        person.get(PAGE)
    for number in range(3):
        with make.acting("admin"):
            system(f"system-{number}")
        runner.judged(open_run(99, f"of {number}"), system=f"system-{number}")
    with statements() as many:
        person.get(PAGE)
    assert len(undecided()) == 4
    assert len(many) <= len(few), "\n".join(many)
