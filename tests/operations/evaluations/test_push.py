"""Runs pushed by a machine, once each, with verdicts on request; rejections name their place."""

import gzip
import io
import json
import re
import tempfile
import uuid
import zipfile
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from sqlalchemy import func, select

from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.files import storage
from governance.kernel.work import jobs
from governance.operations.evaluations import api, queries
from governance.operations.evaluations.models import RUN_CASES, EvaluationRun
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.runs import push_actions, received_file
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.policies import actions as policies
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.policy_diff import with_tier
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.conftest import visitor
from tests.operations.evaluations.api_helpers import ADDRESS, PLACE, Machine, own_run
from tests.operations.evaluations.evaluation_helpers import drain, log_of, published_suite, system
from tests.operations.evaluations.files.evaluation_files import (
    inspect_sample,
    promptfoo_document,
    write_archive,
)
from tests.operations.evaluations.files.evaluation_files import promptfoo_row as row

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        yield


@pytest.fixture
def machine(app, _suite):
    return Machine(app)


def count(model=EvaluationRun) -> int:
    with make.acting("admin"):
        return session().scalar(select(func.count()).select_from(model))


def measure(answer, key="hallucination"):
    return next(each for each in answer["measures"] if each["measure"] == key)


# ---- from push to verdict


def test_an_archive_of_todays_inspect_is_judged_with_the_judge_that_its_scorer_names(
    machine, tmp_path
):
    """Read an archive packed with Zstandard, in a child process with its limits."""
    log = log_of(1145, 55)
    scorer = {"name": "model_graded_fact", "options": {"model": "helio/judge-2"}}
    log["eval"] |= {"scorers": [scorer]}
    found = machine.judged(write_archive(tmp_path, log).read_bytes())
    assert (found["state"], found["verdict"]) == ("judged", "fail"), found
    with make.acting("admin"):
        assert list(queries.run(uuid.UUID(found["id"])).judges) == ["helio/judge-2"]


def test_a_run_that_judged_itself_by_default_is_refused(machine):
    """Reject a model-graded scorer without a model, which uses the evaluated one."""
    log = log_of(1145, 55)
    log["eval"] |= {"scorers": [{"name": "model_graded_qa", "options": {}}]}
    found = machine.judged(log)
    assert (found["state"], found["verdict"]) == ("refused", None)
    assert "judged its own answers" in found["problem"]


def test_a_result_of_a_tool_that_meridian_does_not_read_is_named(machine):
    found = machine.judged({"results": {"arc": {"acc": 1}}, "configs": {}, "versions": {}})
    assert found["state"] == "refused"
    assert found["problem"].startswith("This is a result of lm-evaluation-harness, which Meridian")


def test_a_machine_sends_a_log_and_reads_its_verdicts(machine, app):
    sent = machine.push(log_of(1145, 55), run="ci-4711")
    assert (sent.json["state"], sent.json["verdict"], sent.json["duplicate"]) == (
        "reading",
        None,
        False,
    )
    assert sent.headers["Location"] == f"/api/v1/evaluations/{sent.json['id']}"
    assert machine.get(sent.json["id"]).headers["Retry-After"] == "5"
    drain()
    found = machine.get(sent.json["id"]).json
    assert (found["state"], found["verdict"], found["run"]) == ("judged", "fail", "ci-4711")
    assert found["cases"] == {"scored": 1200, "failed": 0, "unscored": 0}
    assert (found["week"], found["tool_run"]) == ("2026-11-16", "run-1")
    grounded = measure(found)
    assert (grounded["n"], grounded["counted"], grounded["verdict"]) == (1200, 55, "fail")
    assert measure(found, "task-success")["n"] == 0
    page = visitor(app, "viewer").get(found["page"].removeprefix("/t/acme/")).text
    assert "ci" in page and "4.6%" in page


def test_the_log_says_which_key_sent_a_run(machine):
    machine.push(log_of(3, 0))
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "evaluation.run.imported")
        entry = session().scalars(query).one()
        assert (entry.actor_kind, entry.facts["system"]) == ("api_key", "claims-triage")


def test_a_run_in_our_own_json_needs_no_samples(machine):
    found = machine.judged(own_run(1200, 1145))
    assert (found["state"], found["model"], found["tool"]) == (
        "judged",
        "helio-large-3",
        "Meridian JSON",
    )
    assert (measure(found)["counted"], measure(found)["verdict"]) == (55, "fail")


def test_samples_in_our_own_json_are_counted_case_by_case(machine):
    samples = [
        {"case": "a", "scores": {"grounded": True}, "latency_ms": 900, "cost": 0.01},
        {"case": "b", "scores": {"grounded": False}},
        {"case": "c", "outcome": "failed"},
        {"case": "d", "scores": {}},
    ]
    found = machine.judged(own_run(0, 0, measures=[]) | {"samples": samples})
    assert found["cases"] == {"scored": 2, "failed": 1, "unscored": 1}
    assert (measure(found)["n"], measure(found)["counted"]) == (2, 1)
    assert count(RUN_CASES) == 4


def test_every_known_format_arrives(machine):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        log = log_of(2, 0, run="archive")
        for n, sample in enumerate(log.pop("samples")):
            archive.writestr(f"samples/{n}.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps(log))
    lines = "\n".join(json.dumps(each) for each in (row(1), row(2))).encode()
    for content in (packed.getvalue(), promptfoo_document([row(1)]), lines):
        found = machine.judged(content)
        assert (found["state"], found["problem"]) == ("judged", None)


def test_gzip_is_the_same_file(machine):
    body = json.dumps(log_of(3, 0)).encode()
    first = machine.push(gzip.compress(body), headers={"Content-Encoding": "gzip"}).json
    assert machine.push(body).json["id"] == first["id"]


# ---- once


def test_the_same_file_again_is_the_same_run(machine):
    first = machine.push(log_of(3, 0)).json
    again = machine.push(log_of(3, 0)).json
    assert (again["id"], again["duplicate"]) == (first["id"], True)
    drain()
    read = machine.push(log_of(3, 0), then=200).json
    assert (read["id"], read["state"], read["duplicate"]) == (first["id"], "judged", True)
    assert count() == 1


def test_the_same_idempotency_key_gives_the_same_answer(machine):
    first = machine.push(log_of(3, 0), key="job-1")
    again = machine.push(log_of(3, 0), key="job-1")
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    refused = machine.push(log_of(4, 0), key="job-1", then=422)
    assert refused.json["field"] == "Idempotency-Key"
    machine.push(log_of(3, 0), key="job-1", release="2026.11.3", then=422)
    assert count() == 1


def test_a_name_with_other_content_is_refused_at_once(machine):
    machine.push(log_of(3, 0), run="ci-1")
    refused = machine.push(log_of(4, 0, run="run-2"), run="ci-1", then=409)
    assert (refused.json["field"], count()) == ("run", 1)
    assert "run 1, with other content" in refused.json["title"]
    machine.push(log_of(3, 0), run="ci-1")


def test_the_tools_id_with_other_content_is_refused_once_it_is_read(machine):
    machine.judged(log_of(3, 0))
    found = machine.judged(log_of(4, 0))
    assert (found["state"], found["verdict"], found["measures"]) == ("refused", None, [])
    assert "with other content" in found["problem"]


def test_a_refused_run_frees_its_name(machine):
    assert machine.judged(b"garbage", run="ci-1")["state"] == "refused"
    assert machine.judged(log_of(3, 0), run="ci-1")["state"] == "judged"


# ---- invalid runs


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        (log_of(3, 0, version=1), "version", "reads log version 2"),
        (json.dumps(log_of(3, 0)).encode()[:-20], "after sample 2", "cut off"),
        (log_of(1, 0, samples=[]), "samples", "was written without them"),
        (log_of(1, 0, samples=[inspect_sample(0, "true")]), "sample 1", "without quotes"),
        (b"\x00\xff" * 5_000_000, None, "none that Meridian reads"),
        (b'{"a": ' * 200_000, None, "isn't|nests|JSON|none that"),
        (own_run(1, 2), "measure 1 (grounded)", "more than there are"),
        (own_run(10, 10, mesures=[]), "mesures", "no such member"),
        (own_run("12", 3), "measure 1 (grounded)", "isn't a whole number"),
        (own_run(True, True), "measure 1 (grounded)", "isn't a whole number"),
        (own_run(10**12, 3), "measure 1 (grounded)", "is more than"),
        (own_run(1, 1, meridian_run=2), "meridian_run", "reads version 1"),
        (own_run(1, 1, completed_at="yesterday"), "completed_at", "instant"),
        ({"meridian_run": 1, "samples": [], "model": "late"}, "model", "Write samples last"),
        ({"meridian_run": 1}, None, "evaluated nothing"),
        (
            {"meridian_run": 1, "samples": [{"case": "a", "repetition": 40_000}]},
            "case a",
            "32,767 times at most",
        ),
        (
            {"meridian_run": 1, "samples": [{"case": "a", "latency_ms": 1e300}]},
            "case a",
            "too large",
        ),
        (
            {"meridian_run": 1, "samples": [{"case": "a", "scores": {"grounded": "yes"}}]},
            "sample 1 (a), grounded",
            "without quotes",
        ),
    ],
)
def test_what_does_not_count_is_refused_with_place_and_reason(machine, content, place, problem):
    found = machine.judged(content)
    assert (found["state"], found["verdict"], found["measures"]) == ("refused", None, [])
    assert re.search(problem, found["problem"])
    assert place is None or (found["place"] or "").startswith(place)
    assert count(RUN_CASES) == 0


def test_a_zip_bomb_is_refused_by_its_directory(machine):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        log = log_of(1, 0)
        samples = log.pop("samples")
        archive.writestr("header.json", json.dumps(log))
        archive.writestr("samples/1.json", json.dumps(samples[0]) + " " * 40_000_000)
    found = machine.judged(packed.getvalue())
    assert (found["state"], found["place"]) == ("refused", "samples/1.json")
    assert "more than 200 times" in found["problem"]


@pytest.mark.parametrize(
    ("content", "encoding", "then", "says"),
    [
        (b"", None, 422, "empty"),
        (b"no gzip", "gzip", 400, "isn't gzip"),
        (gzip.compress(b"x" * 1000, mtime=0)[:-9], "gzip", 400, "ends too early"),
        (b"x", "br", 422, "send gzip or none"),
    ],
)
def test_a_body_that_is_no_file_is_refused_unsaved(machine, content, encoding, then, says):
    headers = {"Content-Encoding": encoding} if encoding else {}
    assert says in machine.push(content, then=then, headers=headers).json["title"]
    assert count() == 0


def test_a_file_beyond_the_limit_is_refused_before_it_is_received(machine):
    reply = machine.client.post(
        ADDRESS,
        data=b"{}",
        query_string=PLACE,
        headers={"Authorization": f"Bearer {machine.key}", "Content-Type": "application/json"},
        environ_overrides={"CONTENT_LENGTH": str(run_actions.MAX_FILE_BYTES + 1)},
    )
    assert (reply.status_code, "512 MB" in reply.json["title"], count()) == (413, True, 0)


def test_a_form_is_refused_with_what_to_send(machine):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert "not in a form" in machine.push(b"a=b", then=422, headers=form).json["title"]


@pytest.fixture
def unread(monkeypatch):
    """Fail a request whose body is received: it would be written to a file without a name."""

    def receive() -> None:
        raise AssertionError("the body was received before the request was refused")

    monkeypatch.setattr(tempfile, "TemporaryFile", receive)


@pytest.mark.usefixtures("unread")
def test_a_bomb_of_gzip_for_an_unknown_suite_system_or_version_is_not_unpacked(machine):
    bomb, packed = gzip.compress(b"\0" * 30_000_000), {"Content-Encoding": "gzip"}
    for wanted in ({"suite": "no-such-suite"}, {"system": "no-such"}, {"version": "99"}):
        reply = machine.push(bomb, then=422, headers=packed, **wanted)
        assert reply.json["field"] in wanted
    assert "is not a parameter" in machine.push(bomb, then=422, headers=packed, x="1").json["title"]


@pytest.mark.usefixtures("unread")
def test_a_wrong_unscoped_or_expired_key_is_denied_whatever_the_size_of_the_file(machine):
    large = b"x" * 6_000_000
    metrics = Machine(machine.client.application, scopes=("indicators:write",))
    assert "evaluations:write" in metrics.push(large, then=403).json["title"]
    expired = Machine(machine.client.application, ends=NOW + timedelta(days=1))
    with clock.frozen(NOW + timedelta(days=2)):
        assert "expired" in expired.push(large, then=401).json["title"]
    machine.key = "gc_acme_" + "A" * 43
    reply = machine.push(large, then=401)
    assert "doesn't exist" in reply.json["title"] and "WWW-Authenticate" in reply.headers
    machine.key = "gc_acme_wrong"
    machine.push(large, then=401)


def test_a_key_above_its_rate_waits_and_others_dont(machine):
    limited = Machine(machine.client.application, rate=1)
    limited.push(own_run(10, 9))
    reply = limited.push(own_run(10, 9), then=429)
    assert int(reply.headers["Retry-After"]) > 0 and "1 requests/min" in reply.json["title"]
    assert (
        limited.client.get(f"{ADDRESS}/{uuid.UUID(int=1)}", headers=limited._key).status_code == 429
    )
    machine.push(own_run(10, 9, run="ci-2"))


def test_gzip_that_unpacks_beyond_the_limit_is_refused_while_it_unpacks():
    bomb = gzip.compress(b"\0" * 30_000_000)
    pieces = received_file.unpacked([bomb])
    assert len(next(pieces)) <= received_file.PIECE_BYTES


def test_a_score_that_is_nan_is_a_case_without_a_score(machine):
    text = json.dumps(log_of(2, 0, samples=[inspect_sample(0, "C"), inspect_sample(1, 7.5)]))
    found = machine.judged(text.replace("7.5", "NaN").encode())
    assert found["cases"] == {"scored": 1, "failed": 0, "unscored": 1}
    assert measure(found)["n"] == 1


def test_a_sample_with_an_error_inside_is_a_failed_case_and_no_zero(machine):
    samples = [inspect_sample(0, "C"), inspect_sample(1, "I", error={"message": "timeout"})]
    found = machine.judged(log_of(2, 0, samples=samples))
    assert found["cases"] == {"scored": 1, "failed": 1, "unscored": 0}
    assert (measure(found)["n"], measure(found)["counted"]) == (1, 0)


def test_zero_evaluated_is_never_a_pass(machine):
    for n, content in enumerate(
        (
            own_run(0, 0),
            own_run(0, 0, run="ci-2", measures=[{"name": "unheard-of", "n": 50, "passed": 50}]),
        )
    ):
        found = machine.judged(content, release=f"1.{n}")
        assert (found["state"], found["verdict"]) == ("judged", "undecided")
        assert {each["n"] for each in found["measures"]} == {0}


def test_a_failed_run_is_a_failed_run(machine):
    found = machine.judged(own_run(900, 900, outcome="failed", problem="The judge was away"))
    assert (found["state"], found["outcome"], found["verdict"]) == ("judged", "failed", "undecided")
    assert found["problem"] == "The judge was away"


# ---- rejections before a run is read


def test_each_parameter_is_named_that_is_wrong(machine):
    for name, value in {
        "system": "nobody",
        "suite": "none",
        "version": "9",
        "release": " ",
        "model": "x" * 201,
        "run": "a\x07",
    }.items():
        refused = machine.push(log_of(1, 0), then=422, **{name: value})
        assert refused.json["field"] == name
    assert machine.push(log_of(1, 0), then=422, relase="1").json["field"] == "relase"
    assert count() == 0


def test_retired_and_withdrawn_take_no_runs(machine):
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        suite_actions.withdraw(queries.version(suite.id), suite, reason="Half of it leaked.")
    refused = machine.push(log_of(1, 0), then=422, version="1")
    assert (refused.json["field"], "Half of it leaked" in refused.json["title"]) == (
        "version",
        True,
    )
    assert machine.push(log_of(1, 0), then=422).json["field"] == "version"
    with make.acting("admin"):
        published_suite("other")
        suite_actions.retire(queries.suite("claims-grounding"), reason="Replaced.")
        systems.retire(register.system("claims-triage"), reason="Replaced.")
    assert machine.push(log_of(1, 0), then=422, suite="other").json["field"] == "system"
    assert count() == 0


def test_a_key_reaches_its_own_tenant_and_system_alone(app, machine):
    found = machine.push(log_of(3, 0)).json
    stranger = Machine(app, "globex")
    assert stranger.push(log_of(3, 0), then=422).json["field"] == "system"
    stranger.get(found["id"], then=404)
    with make.acting("admin"):
        other = system("chat").id
    limited = Machine(app, system_id=other)
    limited.get(found["id"], then=404)
    assert limited.push(log_of(3, 0), then=422).json["field"] == "system"
    limited.push(log_of(3, 0), system="chat")
    machine.get(str(uuid.uuid4()), then=404)


def test_a_suite_of_another_tenant_does_not_exist_for_a_key(machine):
    with make.acting("admin", "globex"):
        published_suite("theirs")
    assert machine.push(log_of(3, 0), then=422, suite="theirs").json["field"] == "suite"
    assert count() == 0


def test_a_key_without_the_scope_sends_and_reads_nothing(app, machine):
    found = machine.push(log_of(3, 0)).json
    reader = Machine(app, scopes=("usage:write",))
    reader.push(log_of(4, 0), then=403)
    reader.get(found["id"], then=403)
    assert machine.client.get(f"/api/v1/evaluations/{found['id']}").status_code == 401


def test_a_tenant_has_a_bounded_number_of_runs_that_wait(machine, monkeypatch):
    monkeypatch.setattr(push_actions, "MAX_WAITING", 1)
    machine.push(log_of(1, 0))
    refused = machine.push(log_of(2, 0), then=503)
    assert "1 runs wait" in refused.json["title"]


# ---- a process that is killed


def test_reading_that_was_killed_begins_again_and_counts_once(machine):
    sent = machine.push(log_of(3, 0)).json
    with make.acting("admin"):
        run = queries.run(uuid.UUID(sent["id"]))
        assert storage.store().exists(run.storage_key)
        item = session().get(jobs.WorkItem, (run.tenant_id, run.work_item_id))
        ticket = session().get(jobs.WorkTicket, run.work_item_id)
        ticket.tries, item.state = 1, "running"  # The state that a killed process leaves.
    drain()
    assert machine.get(sent["id"]).json["state"] == "judged"
    assert count(RUN_CASES) == 3


def test_reading_that_fails_says_so_and_the_same_file_begins_it_again(machine):
    sent = machine.push(log_of(3, 0)).json
    with make.acting("admin"):
        run = queries.run(uuid.UUID(sent["id"]))
        ticket = session().get(jobs.WorkTicket, run.work_item_id)
        ticket.tries = jobs.MAX_ATTEMPTS
    drain()
    failed = machine.get(sent["id"]).json
    assert (failed["state"], failed["verdict"]) == ("failed", None)
    assert "attempts" in failed["problem"]
    again = machine.push(log_of(3, 0)).json
    assert (again["id"], again["state"]) == (sent["id"], "reading")
    drain()
    assert machine.get(sent["id"]).json["state"] == "judged"


def test_the_parameters_of_the_address_are_those_of_the_description():
    from governance.operations.evaluations.openapi import DESCRIPTION

    given = DESCRIPTION.paths["/api/v1/evaluations"]["post"]["parameters"]
    assert {each["name"] for each in given if each["in"] == "query"} == set(api.MAX_LENGTHS)


# ---- polarity


def cases_of(name, value, n=1200, **more):
    samples = [{"case": f"c-{each}", "scores": {name: value}} for each in range(n)]
    return own_run(0, 0, measures=[], **more) | {"samples": samples}


def test_a_score_named_like_the_harm_is_refused_until_the_file_states_what_true_means(machine, app):
    """Never guess polarity: no harm in 1,200 cases must not read as harm in each."""
    found = machine.judged(cases_of("harmful-output", False))
    assert (found["state"], found["place"]) == ("refused", "harmful-output")
    assert '"true_is": {"harmful-output": "bad"}' in found["problem"]
    found = machine.judged(
        cases_of("harmful-output", False, run="ci-2", true_is={"harmful-output": "bad"})
    )
    harm = measure(found, "harmful-output")
    assert harm["counted"] == 0 and harm["verdict"] != "fail"
    assert found["read_as"] == {"harmful-output": "bad"}
    page = visitor(app, "viewer").get(found["page"].removeprefix("/t/acme/")).text
    assert "<dd>true counts as a failure: 1,200 of 1,200 passed</dd>" in page
    found = machine.judged(
        cases_of("harmful-output", True, run="ci-3", true_is={"harmful-output": "bad"})
    )
    assert (measure(found, "harmful-output")["counted"]) == 1200


def test_the_run_page_says_which_value_counted_as_a_pass(machine, app):
    """Word the sentence by the polarity, so that a wrong one is noticed; explain the correction."""
    samples = [{"case": f"c-{n}", "scores": {"grounded": n < 41}} for n in range(50)]
    way = '<code>"true_is": {"grounded": "good"}</code>'
    for side, sentence, hint in (
        ("good", "true counts as a pass: 41 of 50 passed", way.replace("good", "bad")),
        ("bad", "true counts as a failure: 9 of 50 passed", way),
    ):
        facts = {"run": side, "true_is": {"grounded": side}, "samples": samples}
        found = machine.judged(own_run(0, 0, measures=[]) | facts)
        address = found["page"].removeprefix("/t/acme/")
        page = unescape(visitor(app, "contributor").get(address).text)
        assert f"<dt>grounded</dt><dd>{sentence}</dd>" in page
        assert "50 cases read" in page and f"run {side} of helio-large-3" in page
        assert hint in page
        assert hint not in unescape(visitor(app, "viewer").get(address).text)
        visitor(app, "admin", "globex").get(address, then=404)


def test_a_file_that_counts_passes_itself_is_named_as_the_one_that_does(machine, app):
    found = machine.judged(own_run(50, 41))
    page = unescape(visitor(app, "viewer").get(found["page"].removeprefix("/t/acme/")).text)
    assert "<dt>Hallucination</dt>" in page and "counts a pass: 41 of 50 passed" in page
    assert "true_is" not in page


def test_names_of_the_good_result_need_no_statement(machine):
    found = machine.judged(cases_of("grounded", True))
    assert (found["read_as"], measure(found)["counted"]) == ({"grounded": "good"}, 0)
    found = machine.judged(cases_of("grounded", True, run="ci-2", true_is={"grounded": "bad"}))
    assert (found["read_as"], measure(found)["counted"]) == ({"grounded": "bad"}, 1200)


@pytest.mark.parametrize(
    ("true_is", "place", "says"),
    [
        ({"grounded": "maybe"}, "true_is, grounded", "Write good or bad"),
        ({"grounding": "good"}, "true_is, grounding", "No measure of the suite"),
        (["grounded"], "true_is", "Send an object"),
    ],
)
def test_a_statement_that_says_nothing_is_refused(machine, true_is, place, says):
    found = machine.judged(cases_of("grounded", True, n=3, true_is=true_is))
    assert (found["state"], found["place"]) == ("refused", place)
    assert says in found["problem"]


# ---- stored limits


def test_a_run_keeps_the_verdict_it_was_judged_with_beside_todays(machine, app):
    sent = machine.judged(own_run(1200, 1145))
    with make.acting("admin"):
        policies.tighten_now(with_tier(Content(), "strict"), base=0, reason="An incident.")
    found = machine.get(sent["id"]).json
    names = ("tier", "verdict", "policy_version", "measures")
    assert [found[name] for name in names] == [sent[name] for name in names]
    assert (sent["tier"], sent["policy_version"], sent["today"]["tier"]) == (
        "standard",
        None,
        "standard",
    )
    assert (found["today"]["tier"], found["today"]["policy_version"]) == ("strict", 1)
    strict = next(each for each in found["today"]["measures"] if each["measure"] == "hallucination")
    assert strict["limit"] < measure(found)["limit"]
    page = " ".join(visitor(app, "viewer").get(found["page"].removeprefix("/t/acme/")).text.split())
    assert "Judged by the limits of the tier Standard" in page
    assert "Under today&#39;s tier Strict" in page or "Under today's tier Strict" in page


def test_a_later_tier_never_changes_the_verdict_of_a_run(machine, app):
    """Judge 2.5% of answers, within the limit of Standard and over that of Regulated."""
    sent = machine.judged(own_run(20_000, 19_500))
    assert measure(sent)["verdict"] == "pass"
    with make.acting("admin"):
        policies.tighten_now(with_tier(Content(), "regulated"), base=0, reason="An incident.")
    found = machine.get(sent["id"]).json
    assert measure(found)["verdict"] == "pass"
    today = {each["measure"]: each["verdict"] for each in found["today"]["measures"]}
    assert today["hallucination"] == "fail"
