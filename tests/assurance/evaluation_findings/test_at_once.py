"""Concurrent runs: one uploaded twice, and two of one system judged at the same time.

Each has its own connection.
"""

from datetime import timedelta

from sqlalchemy import select

from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.evaluation_findings import consequence_actions, mapping_actions
from governance.assurance.evaluation_findings.models import EvaluationFinding, FollowedRun
from governance.assurance.evidence.models import EvidenceVersion
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.operations.evaluations import queries
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.evaluations.runs.actions import AlreadyImported
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.evaluation_findings.finding_helpers import MISSES, NOW, PASSES, at_once
from tests.operations.evaluations.evaluation_helpers import (
    drain,
    imported,
    log_of,
    published_suite,
    system,
)


def begin(key):
    """Create a suite and a system with this slug, and a control that depends on the suite."""
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        suite = published_suite(key)
        system(key)
        control = controls.create(
            key,
            ControlContent(
                title=key,
                does="Weekly figures.",
                kind="detective",
                automation="manual",
                cadence="weekly",
            ),
        )
        mapping_actions.map_measure(suite, "hallucination", control)


def upload(key, counts, number, hour=10):
    """Import a run. Return False if it exists already."""
    stats = {"stats": {"completed_at": f"2026-11-24T{hour:02}:00:00Z"}}
    log = log_of(*counts, run=f"{key}-{number}", **stats)

    def act():
        try:
            with transaction():
                imported(log, queries.suite(key), register.system(key))
        except AlreadyImported:
            return False
        return True

    return act


def settle():
    """Run two workers at the same time, then the work that they deferred."""
    at_once(drain, drain)
    with clock.frozen(NOW + timedelta(hours=1)):
        drain()


def runs(key):
    """Return (state, look, outcome) of each run of the system."""
    with make.acting("admin"):
        query = (
            select(EvaluationRun.state, EvaluationRun.look, FollowedRun.outcome)
            .outerjoin(FollowedRun, FollowedRun.run_id == EvaluationRun.id)
            .where(EvaluationRun.system_id == register.system(key).id)
            .order_by(EvaluationRun.look)
        )
        return [tuple(row) for row in session().execute(query)]


def misses(key):
    """Return how often each finding of the system was missed."""
    with make.acting("admin"):
        f = EvaluationFinding
        query = select(f.misses).where(f.system_id == register.system(key).id)
        return list(session().scalars(query))


def filed(key):
    """Return (item, number) of each evidence version of the system's runs."""
    with make.acting("admin"):
        v = EvidenceVersion
        query = select(v.evidence_id, v.number).where(v.filename.startswith(f"evaluation-{key}-"))
        return [tuple(row) for row in session().execute(query)]


def test_two_uploads_of_one_run_are_one_run_one_verdict_and_one_finding(committed_world):
    begin("sent-twice")
    both = at_once(upload("sent-twice", MISSES, 1), upload("sent-twice", MISSES, 1))
    assert sorted(both) == [False, True]
    settle()
    assert (runs("sent-twice"), misses("sent-twice")) == ([("judged", 1, "missed")], [1])


def test_two_runs_that_miss_at_once_are_one_finding(committed_world):
    begin("missed-twice")
    both = at_once(upload("missed-twice", MISSES, 1, hour=9), upload("missed-twice", (1144, 56), 2))
    assert both == [True, True]
    settle()
    assert [row[:2] for row in runs("missed-twice")] == [("judged", 1), ("judged", 2)]
    assert misses("missed-twice") in (
        [1],
        [2],
    )  # A run that is processed after a newer one does nothing.


def test_a_run_that_two_workers_follow_at_once_is_evidence_once(committed_world):
    begin("passed-twice")
    both = at_once(upload("passed-twice", PASSES, 1), upload("passed-twice", PASSES, 1))
    assert sorted(both) == [False, True]
    settle()
    with make.acting("admin"):
        found = session().scalars(
            select(EvaluationRun).where(
                EvaluationRun.system_id == register.system("passed-twice").id
            )
        )
        run_id = found.one().id

    def follow():
        with transaction():
            return consequence_actions.follow(run_id).outcome

    assert at_once(follow, follow, who=make.system_actor("acme")) == ["passed", "passed"]
    assert (runs("passed-twice"), len(filed("passed-twice"))) == ([("judged", 1, "passed")], 1)


def test_two_runs_that_pass_at_once_are_versions_of_one_item(committed_world):
    begin("both-pass")
    assert at_once(upload("both-pass", PASSES, 1, hour=9), upload("both-pass", (1201, 0), 2)) == [
        True,
        True,
    ]
    settle()
    assert len(runs("both-pass")) == 2 and misses("both-pass") == []
    items, numbers = zip(*filed("both-pass"), strict=True)
    assert len(set(items)) == 1 and sorted(numbers) in ([1], [1, 2])
