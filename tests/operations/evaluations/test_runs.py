"""A run's file, turned completely into figures, intervals and verdicts, or rejected."""

import gzip
import json
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import func, select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.files import storage
from governance.operations.evaluations import queries
from governance.operations.evaluations.models import RUN_CASES
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.evaluations.suites import actions as suite_actions
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.operations.evaluations.evaluation_helpers import (
    drain,
    imported,
    judged,
    log_of,
    published_suite,
    system,
)
from tests.operations.evaluations.files.evaluation_files import inspect_sample

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _suite(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        yield


def results(run, role="admin"):
    with make.acting(role):
        found = {measure.key: result for result, measure in queries.results_of([run.id])}
        session().expunge_all()
    return found


def entries(name):
    from governance.foundation.audit.models import AuditEntry

    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == name)
        found = session().scalars(query).all()
        session().expunge_all()
    return found


def test_a_run_is_judged_by_every_tier_from_its_cases():
    """Judge 55 hallucinations in 1,200 answers: at most 6.4%, so only a higher limit is met."""
    run = judged(log_of(1145, 55))
    assert (run.state, run.outcome, run.cases, run.failed) == ("judged", "completed", 1200, 0)
    assert (run.reference, run.model, run.week) == ("run-1", "openai/gpt-x", date(2026, 11, 16))
    found = results(run)["hallucination"]
    assert (found.n, found.successes) == (1200, 55)
    assert [f"{100 * each:.1f}" for each in (found.point, found.low, found.high)] == [
        "4.6",
        "3.2",
        "6.4",
    ]
    verdicts = {tier: each["verdict"] for tier, each in found.verdicts.items()}
    assert verdicts == {
        "baseline": "undecided",
        "standard": "fail",
        "strict": "fail",
        "regulated": "fail",
    }
    assert found.verdicts["baseline"]["more"] > 0
    assert results(run)["task-success"].verdicts["standard"]["verdict"] == "undecided"


def test_cases_are_kept_by_digest_and_the_file_is_not_kept():
    with make.acting("admin"):
        suite, triage = queries.suite("claims-grounding"), register.system("claims-triage")
        run = imported(log_of(3, 1), suite, triage)
        run_id, key = run.id, run.storage_key
        assert storage.store().exists(key)
    drain()
    with make.acting("admin"):
        rows = session().execute(select(RUN_CASES).where(RUN_CASES.c.run_id == run_id)).all()
        assert queries.run(run_id).storage_key is None
    assert len(rows) == 4
    assert {len(row.case_digest) for row in rows} == {16}
    assert sorted(row.scores[0] for row in rows) == [0.0, 1.0, 1.0, 1.0]
    assert not storage.store().exists(key)


def test_a_failed_run_is_kept_as_a_failed_run_and_passes_nothing():
    run = judged(log_of(500, 0, status="error", error={"message": "The judge was unreachable"}))
    assert (run.state, run.outcome, run.problem) == (
        "judged",
        "failed",
        "The judge was unreachable",
    )
    verdicts = {each.verdicts["standard"]["verdict"] for each in results(run).values()}
    assert verdicts == {"undecided"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"not a log", "The file is none that Meridian reads"),
        (json.dumps(log_of(3, 0)).encode()[:-20], "The file is cut off"),
        (gzip.compress(b"x" * 10_000, mtime=0), "The file is none that Meridian reads"),
        (json.dumps(log_of(3, 0, version=1)).encode(), "Meridian reads log version 2"),
    ],
)
def test_a_file_that_does_not_count_is_refused_and_nothing_of_it_is_kept(content, problem):
    run = judged(content)
    assert run.state == "refused"
    assert run.problem.startswith(problem)
    assert results(run) == {}
    assert [entry.facts["problem"] for entry in entries("evaluation.run.refused")] == [run.problem]


def test_a_score_between_0_and_1_is_refused_where_cases_are_counted():
    samples = [inspect_sample(0, 0.5)]
    run = judged(log_of(1, 0, samples=samples))
    assert (run.state, run.place) == ("refused", "hallucination")


def test_a_case_that_is_there_twice_is_refused():
    run = judged(log_of(2, 0, samples=[inspect_sample(0, "C"), inspect_sample(0, "C")]))
    assert (run.state, run.place) == ("refused", "case case-0")


def test_the_same_file_again_is_the_same_run():
    run = judged(log_of(3, 0))
    with make.acting("admin"):
        suite, triage = queries.suite("claims-grounding"), register.system("claims-triage")
        with pytest.raises(run_actions.AlreadyImported, match="run 1 already") as there:
            imported(log_of(3, 0), suite, triage)
        assert there.value.run.id == run.id


def test_the_same_reference_with_other_content_is_refused():
    judged(log_of(3, 0))
    again = judged(log_of(4, 0))
    assert again.state == "refused"
    assert "which is run 1 of" in again.problem


def test_a_second_look_at_a_week_is_judged_more_strictly():
    first = judged(log_of(1145, 55))
    second = judged(log_of(1146, 54, run="run-2"))
    assert (first.look, second.look) == (1, 2)
    widths = [results(each)["hallucination"].confidence for each in (first, second)]
    assert widths[1] > widths[0]


@pytest.mark.parametrize("ended", ["2026-12-24T10:00:00Z", "2023-01-01T00:00:00Z"])
def test_a_run_of_the_future_or_of_long_ago_is_refused(ended):
    run = judged(log_of(3, 0, stats={"completed_at": ended}))
    assert run.state == "refused"


def test_a_retired_system_takes_no_runs():
    with make.acting("admin"):
        found = published_suite("other")
        gone = system("gone")
        systems.retire(gone, reason="Replaced.")
        with pytest.raises(Invalid, match="retired, so it takes no runs") as refused:
            imported(log_of(1, 0), found, gone)
    assert refused.value.field == "system"


def test_a_withdrawn_version_takes_no_runs():
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        version = queries.version(suite.id)
        suite_actions.withdraw(version, suite, reason="Half of the cases leaked.")
        with pytest.raises(NotFound, match="no published version"):
            queries.version(suite.id)
        with pytest.raises(Invalid, match="Half of the cases leaked") as refused:
            imported(log_of(1, 0), suite, system("x1"), version=version)
    assert refused.value.field == "version"


def test_a_viewer_imports_nothing_and_a_neighbour_sees_nothing():
    from governance.kernel.errors import Forbidden

    run = judged(log_of(3, 0), role="contributor")
    with pytest.raises(Forbidden):
        judged(log_of(4, 0), role="viewer")
    with make.acting("admin", "globex"), pytest.raises(NotFound):
        queries.run(run.id)
    with make.acting("admin", "globex"):
        assert session().scalar(select(func.count()).select_from(RUN_CASES)) == 0


def test_work_that_is_done_twice_changes_nothing():
    run = judged(log_of(3, 0))
    with make.acting("admin"):
        run_actions.refuse(run.id, "", "late")
        run_actions.keep_results(run.id, {}, None)
        assert queries.run(run.id).state == "judged"
    assert len(entries("evaluation.run.judged")) == 1


# ---- suites


def test_a_published_version_never_changes_and_the_next_one_is_a_copy():
    with make.acting("admin"):
        suite = queries.suite("claims-grounding")
        first = queries.version(suite.id)
        with pytest.raises(DomainError, match="Version 1 is published"):
            suite_actions.edit_draft(first, method="Another")
        second = suite_actions.draft(suite)
        assert suite_actions.draft(suite).id == second.id
        keys = [[m.key for m in queries.measures(v.id)] for v in (first, second)]
        assert keys[0] == keys[1]
        suite_actions.edit_draft(second, method="Another", cases=1200, cases_sha256="a" * 64)
        suite_actions.publish(second, suite)
        suite_actions.publish(second, suite)
        assert queries.version(suite.id).number == 2
    assert len(entries("evaluation.suite.version.published")) == 2


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"limits": {"baseline": 0.1}}, "no limit for the tier standard"),
        ({"limits": dict.fromkeys(suite_actions.TIERS, 1.2)}, "between 0% and 100%"),
        ({"limits": dict(zip(suite_actions.TIERS, (0.1, 0.2, 0.3, 0.4), strict=True))}, "looser"),
        ({"kind": "percentile"}, "says which one"),
        ({"kind": "guess"}, "share of cases"),
        ({"key": "Not a slug"}, "needs a name and a slug"),
    ],
)
def test_a_measure_that_makes_no_sense_is_refused(changes, says):
    given = {
        "key": "tone",
        "name": "Tone",
        "kind": "rate",
        "unit": "share",
        "at_least": False,
        "limits": dict.fromkeys(suite_actions.TIERS, 0.1),
    }
    with make.acting("admin"):
        version = suite_actions.draft(queries.suite("claims-grounding"))
        with pytest.raises(Invalid, match=says):
            suite_actions.set_measures(version, [suite_actions.MeasureInput(**(given | changes))])
