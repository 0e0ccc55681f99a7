"""Evaluations by served release; other releases decide nothing."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.evaluation_findings.models import EvaluationFinding, FollowedRun
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.evaluations.releases import promotion
from governance.operations.measurements import actions as indicators
from governance.operations.measurements import evaluation_feeds
from governance.operations.measurements.models import MINUTES
from governance.operations.rollouts import actions, queries, served_releases
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.evaluations.evaluation_helpers import drain
from tests.operations.rollouts.rollout_helpers import (
    BAD,
    GOOD,
    NEW,
    OLD,
    evaluate,
    planned,
    running_at,
    world,
)

UNHEARD_OF = "2026.12.2"


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    world()
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture
def in_rollout(begun, isolated):
    """Let RO-1 serve 2026.12.0 to 1% of the people; the others get 2026.11.2."""
    rollout_id = planned()
    running_at(100, rollout_id)
    return rollout_id


def board(visitor):
    return main_text(visitor.get("evaluations/"))


def test_a_newer_run_of_another_release_never_hides_the_failing_live_one(in_rollout, as_viewer):
    evaluate(BAD, OLD)
    evaluate(GOOD, NEW)
    evaluate(GOOD, UNHEARD_OF)
    page = board(as_viewer)
    assert "1 of 2 results fails" in page
    assert f"the failure is grounded answers in claims-triage {OLD}" in page
    assert f"{OLD} Served" in page
    assert f"{NEW} RO-1, running at 1%" in page
    assert f"run 3 of {OLD}" in page and f"run 4 of {NEW}" in page  # Each cell names both.


def test_runs_of_unknown_releases_are_apart_and_count_nowhere(in_rollout, as_viewer):
    evaluate(BAD, UNHEARD_OF)
    page = board(as_viewer)
    assert "2 of 2 results pass" in page and "0 fail" in page
    assert "1 run of releases that no record names as served" in page
    assert f"Run 3 of claims-triage {UNHEARD_OF}" in page
    assert "1 of 1 measure over the limit. Unknown release" in page
    assert "1 fail" not in main_text(as_viewer.get("systems/claims-triage"))
    drain()
    with make.acting("admin"):
        assert session().scalars(select(EvaluationFinding)).all() == []
        [followed] = session().scalars(select(FollowedRun).where(FollowedRun.why != "")).all()
        assert followed.why == f"Release {UNHEARD_OF} isn't served, and no rollout has it."


def test_a_run_says_that_its_release_is_unknown_until_a_rollout_has_it(in_rollout, as_viewer):
    """Count runs from the plan of their rollout on, and change none before it."""
    evaluate(GOOD, UNHEARD_OF)
    with make.acting("viewer", read_only=True):
        system_id = register.system("claims-triage").id
        run_id = promotion.evaluated(system_id, UNHEARD_OF).suites[0][2].id
        assert served_releases.is_unknown(system_id, UNHEARD_OF)
    assert "Unknown release:" in as_viewer.get(f"evaluations/runs/{run_id}").text
    with make.acting("admin"):
        row = queries.rollout(in_rollout)
        actions.roll_back(row, reason="Enough was seen.")
    planned(release=UNHEARD_OF)
    assert "Unknown release:" not in as_viewer.get(f"evaluations/runs/{run_id}").text
    assert f"{UNHEARD_OF} RO-2, planned" in board(as_viewer)
    with make.acting("admin"):
        query = select(AuditEntry).where(AuditEntry.action == "rollout.planned")
        entries = [each.facts | each.changes for each in session().scalars(query)]
        assert [each["runs"] for each in entries if each["release"] == UNHEARD_OF] == [[3]]


def test_while_nothing_says_what_is_served_no_run_counts_and_the_board_says_so(
    begun, isolated, as_viewer, as_contributor
):
    evaluate(BAD, OLD)
    page = board(as_viewer)
    assert "No release that is served has results yet" in page and "State the release…" not in page
    assert "No release of claims-triage is stated as served" in page
    assert "2 runs of releases that no record names as served" in page
    assert "results fail" not in page and "results pass" not in page
    assert "systems/claims-triage/release" in as_contributor.get("evaluations/").text


def test_who_is_served_follows_each_step(in_rollout):
    def now():
        return served_releases.served_at(system_id, clock.now())

    with make.acting("admin"):
        system_id = register.system("claims-triage").id
        assert now() == {OLD, NEW}
        assert served_releases.served_at(system_id, clock.now() - timedelta(days=900)) == set()
        actions.halt(queries.rollout(in_rollout), reason="One answer was wrong.")
        assert now() == {OLD}
        assert served_releases.roles_of([system_id])[system_id][NEW].text == "RO-1, halted at 1%"
        actions.roll_back(queries.rollout(in_rollout), reason="It was wrong.")
        assert now() == {OLD}
        assert set(served_releases.roles_of([system_id])[system_id]) == {OLD}


@pytest.fixture
def counted(in_rollout):
    """Count grounded answers. Return a reader of the counted minutes."""
    with make.acting("admin"):
        found = indicators.define(
            key="grounded-answers",
            name="Grounded answers",
            system_id=register.system("claims-triage").id,
            feature=None,
            kind="ratio",
            unit="cases",
        )
        evaluation_feeds.feed(found, "claims-grounding/grounded")

    def read():
        drain()
        with make.acting("admin"):
            rows = session().execute(select(MINUTES.c.good, MINUTES.c.total)).all()
            return sorted((row.good, row.total) for row in rows)

    return read


@pytest.fixture
def later(counted):
    """Move two hours past the last step, so that the runs ended one hour ago."""
    with clock.frozen(clock.now() + timedelta(hours=2)):
        yield


def test_a_run_of_a_release_that_serves_nobody_moves_no_budget(counted, later):
    evaluate((1000, 200), UNHEARD_OF)
    assert counted() == []
    evaluate((190, 10), OLD)
    assert counted() == [(190, 200)]


def test_two_runs_that_end_in_the_same_minute_add_up(counted, later):
    evaluate((190, 10), OLD)
    evaluate((99, 1), NEW)
    evaluate((1, 99), UNHEARD_OF)
    assert counted() == [(289, 300)]


def test_a_halted_release_is_served_to_nobody(counted, in_rollout):
    with make.acting("admin"):
        actions.halt(queries.rollout(in_rollout), reason="One answer was wrong.")
    with clock.frozen(clock.now() + timedelta(hours=2)):
        evaluate((150, 50), NEW)
        assert counted() == []
