"""Runs that a person requests from a runner, which reports progress and sends the run."""

import uuid
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from governance.foundation.webhooks import jobs as webhook_jobs
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations import jobs, queries
from governance.operations.evaluations.requests import actions as request_actions
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.systems import queries as register
from tests import make
from tests.conftest import visitor
from tests.foundation.webhooks.receiver import Receiver
from tests.operations.evaluations.api_helpers import own_run
from tests.operations.evaluations.evaluation_helpers import drain, log_of, published_suite, system
from tests.operations.evaluations.runner_helpers import Runner, entries

NEW = "evaluations/requests/new"


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with make.acting("admin"):
        published_suite()
        system()


@pytest.fixture
def runner(app, _suite):
    with Receiver(204).serving() as receiver:
        yield Runner(app, receiver)


def ask(app, role="contributor", then=303, **changes):
    with make.acting("admin"):
        fields = {
            "system_id": str(register.system("claims-triage").id),
            "suite_id": str(queries.suite("claims-grounding").id),
            "release": "2026.11.2",
            "samples": "1900",
        }
    reply = visitor(app, role).post(NEW, then=then, **(fields | changes))
    return reply.headers.get("Location", "").rpartition("/")[2]


def row(request_id):
    with make.acting("admin"):
        found = request_queries.request(uuid.UUID(request_id))
        session().expunge(found)
    return found


def test_a_runner_hears_what_is_wanted_and_its_run_answers_the_request(app, runner):
    asked = ask(app)
    heard = runner.asked()
    assert (heard["request"], heard["system"], heard["suite"], heard["version"]) == (
        asked,
        "claims-triage",
        "claims-grounding",
        1,
    )
    assert (heard["release"], heard["samples"]) == ("2026.11.2", 1900)
    assert heard["report_to"].endswith(f"/api/v1/evaluations/requests/{asked}/progress")
    runner.report(asked, done=0, total=1900, note="Loading cases")
    said = runner.report(asked, done=700, total=1900)
    assert said["state"] == "running"
    page = visitor(app, "viewer").get(f"evaluations/requests/{asked}").text
    assert "700 of 1,900 cases" in page and "The runner is evaluating" in page
    where = parse_qs(urlsplit(heard["push_to"]).query)
    sent = runner.push(log_of(1880, 20), **{name: value[0] for name, value in where.items()}).json
    drain()
    assert runner.get(sent["id"]).json["state"] == "judged"
    page = visitor(app, "viewer").get(f"evaluations/requests/{asked}").text
    assert "The runner sent its run" in page and "Open run 1" in page
    assert "asked runners for an evaluation run" in page
    assert entries() == ["sent", "started", "done"]


def test_asked_twice_is_asked_once(app, runner):
    assert ask(app) == ask(app, "admin")
    assert entries() == ["sent"]
    assert ask(app, release="2026.11.3") != ""
    assert entries() == ["sent", "sent"]


def test_without_a_runner_the_page_has_the_command_and_the_address(app):
    page = visitor(app, "contributor").get(
        f"{NEW}?suite=claims-grounding&system=claims-triage&release=1.2"
    )
    address = "/api/v1/evaluations?system=claims-triage&amp;suite=claims-grounding&amp;release=1.2"
    assert page.text.count(address) >= 2
    assert "curl -X POST -T logs/run.eval" in page.text
    assert "Ask runner" not in page.text
    ask(app, then=422)
    assert entries() == []


def test_a_viewer_sees_requests_and_asks_for_none(app, runner):
    asked = ask(app)
    visitor(app, "viewer").get("evaluations/requests/")
    visitor(app, "viewer").get(NEW, then=403)
    visitor(app, "viewer").post(f"evaluations/requests/{asked}/cancel", then=403)
    visitor(app, "admin", "globex").get(f"evaluations/requests/{asked}", then=404)
    ask(app, "viewer", then=403)


def test_a_cancelled_request_tells_its_runner_to_stop(app, runner):
    asked = ask(app)
    runner.report(asked, done=1, total=10)
    for _click in range(2):
        visitor(app, "contributor").post(f"evaluations/requests/{asked}/cancel")
    assert "Stop the evaluation" in runner.report(asked, then=409, done=2, total=10)["title"]
    runner.push(own_run(10, 10), then=409, request=asked)
    assert entries() == ["sent", "started", "cancelled"]


def test_a_runner_says_that_it_failed_and_why(app, runner):
    asked = ask(app)
    runner.report(asked, then=422, failed=True)
    assert runner.report(asked, failed=True, note="No GPU was free")["state"] == "failed"
    page = visitor(app, "viewer").get(f"evaluations/requests/{asked}").text
    assert "No GPU was free" in page
    assert entries() == ["sent", "failed"]


def test_a_runner_that_never_answers_ends_and_a_late_run_still_counts(app, runner):
    asked = ask(app)
    with clock.frozen(clock.now() + timedelta(hours=23)):
        jobs.end_unanswered()
        assert row(asked).state == "sent"
    with clock.frozen(clock.now() + timedelta(hours=25)):
        jobs.end_unanswered()
        jobs.end_unanswered()
        assert row(asked).state == "unanswered"
        runner.report(asked, then=409, done=1, total=2)
        sent = runner.push(own_run(10, 10), request=asked).json
    assert (row(asked).state, str(row(asked).run_id)) == ("done", sent["id"])
    assert entries() == ["sent", "unanswered", "done"]


def test_a_runner_that_falls_silent_ends_after_six_hours(app, runner):
    asked = ask(app)
    runner.report(asked, done=1, total=10)
    with clock.frozen(clock.now() + timedelta(hours=7)):
        jobs.end_unanswered()
    assert row(asked).state == "unanswered"


def test_a_message_that_a_runner_refuses_is_sent_again(app, _suite):
    with Receiver(500, 204).serving() as receiver:
        runner = Runner(app, receiver)
        asked = ask(app)
        webhook_jobs.send_due(side_by_side=1)
        with clock.frozen(clock.now() + timedelta(minutes=2)):
            webhook_jobs.send_due(side_by_side=1)
        assert len(receiver.requests) == 2
        assert len(set(receiver.ids)) == 1
        assert runner.receiver.requests[1][1].decode().count(asked) == 3


def test_a_report_names_what_is_wrong_with_it(app, runner):
    asked = ask(app)
    for field, said in {
        "done": {"done": 11, "total": 10},
        "total": {"total": -1},
        "note": {"note": "x" * 201},
        "failed": {"failed": "true"},
        "don": {"don": 1},
    }.items():
        assert runner.report(asked, then=422, **said)["field"] == field
    assert row(asked).state == "sent"


def test_another_tenants_runner_reaches_no_request(app, runner):
    asked = ask(app)
    with Receiver(204).serving() as receiver:
        stranger = Runner(app, receiver, "globex")
        stranger.report(asked, then=404, done=1, total=2)
        webhook_jobs.send_due(side_by_side=1)
        assert receiver.requests == []


def test_a_run_of_something_else_does_not_answer_a_request(app, runner):
    asked = ask(app)
    refused = runner.push(own_run(5, 5), then=422, release="9.9", request=asked)
    assert refused.json["field"] == "request"
    assert runner.push(own_run(5, 5), then=422, request="no-id").json["field"] == "request"
    runner.push(own_run(5, 5), then=404, request=str(uuid.uuid4()))
    assert row(asked).run_id is None


def test_a_tenant_has_a_bounded_number_of_open_requests(app, runner, monkeypatch):
    monkeypatch.setattr(request_actions, "MAX_OPEN", 1)
    ask(app)
    ask(app, then=422, release="1.1")
    ask(app, then=422, release="1.2", samples="0")


def test_an_undecided_run_offers_one_with_as_many_cases_as_decide(app, runner):
    found = runner.judged(own_run(100, 98))
    page = visitor(app, "contributor").get(f"evaluations/runs/{found['id']}").text
    undecided = [each for each in found["measures"] if each["more_samples"]]
    wanted = max(each["n"] + each["more_samples"] for each in undecided)
    assert f"samples={wanted}" in page
    assert "Run again" not in visitor(app, "viewer").get(f"evaluations/runs/{found['id']}").text
