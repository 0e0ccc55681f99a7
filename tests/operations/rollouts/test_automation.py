"""Automatic steps: Meridian halts, rolls back or pauses, and never advances."""

import re

import pytest

from governance.economics.tenant_costs import permissions as tenant_costs
from governance.kernel import manifest
from governance.kernel.manifest import Manifest
from governance.operations.gates.gates import GATES, Gate, GateReading
from governance.operations.rollouts import queries
from governance.operations.rollouts.status import status_of
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.operations.rollouts.rollout_helpers import (
    BAD,
    NEW,
    OLD,
    UNDECIDED,
    advance,
    answered,
    evaluate,
    pass_time,
    planned,
    running_at,
    served,
    state_of,
    watch,
    world,
)


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system with good runs of both releases, once."""
    world()
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture(autouse=True)
def _world(begun, isolated):
    """Roll back each test to the system."""


def test_a_failed_guardrail_halts_the_rollout_and_people_see_why(
    as_contributor, as_officer, as_viewer
):
    rollout_id = planned()
    running_at(500, rollout_id)
    watch()
    assert state_of(rollout_id) == ("running", "5%")
    evaluate(BAD)
    watch()
    assert state_of(rollout_id) == ("halted", "5%")
    assert served() == [(0, (OLD, NEW), "halted")]
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "Halted at 5% by Meridian Grounded answers" in page
    for visitor in (as_contributor, as_officer):
        assert "RO-1, release 2026.12.0, is halted at 5%" in main_text(visitor.get("inbox/"))
    assert "RO-1" not in main_text(as_viewer.get("inbox/"))
    watch()
    with make.acting("viewer", read_only=True):
        assert [each.step for each in queries.steps(rollout_id)].count("halt") == 1


def test_where_the_plan_says_so_a_failed_guardrail_rolls_back():
    rollout_id = planned(on_failure="roll_back")
    running_at(500, rollout_id)
    evaluate(BAD)
    watch()
    assert state_of(rollout_id) == ("rolled_back", "5%")


def test_an_undecided_figure_and_a_missing_one_halt_nothing():
    rollout_id = planned()
    running_at(500, rollout_id)
    evaluate(UNDECIDED)
    watch()
    assert state_of(rollout_id) == ("running", "5%")


def test_in_the_shadow_nobody_is_served_so_nothing_is_halted():
    rollout_id = planned()
    running_at(0, rollout_id)
    evaluate(BAD)
    watch()
    assert state_of(rollout_id) == ("running", "Shadow")


def test_the_page_draws_the_share_over_time_and_the_guardrail_beside_tables(as_viewer):
    rollout_id = planned()
    page = as_viewer.get(f"rollouts/{rollout_id}").text
    assert "Share over time" not in page
    running_at(500, rollout_id)
    page = main_text(as_viewer.get(f"rollouts/{rollout_id}"))
    assert "5% of targeting keys get 2026.12.0 Share over time" in page
    assert "Grounded answers: 100.0% in the newest run, and the limit is ≥ 90.0%" in page
    evaluate(BAD)
    watch()
    page = main_text(as_viewer.get(f"rollouts/{rollout_id}"))
    assert "Nobody gets 2026.12.0, after 1 halt" in page
    assert re.search(r"Halted at 5% Grounded answers .{5,40} none", page)
    assert "Grounded answers: 75.0% in the newest run, and the limit is ≥ 90.0%" in page


@pytest.fixture
def registered():
    """Register gates by a manifest, as features do, until the test ends."""
    before = manifest.installed()

    def register(*gates: Gate) -> None:
        manifest.install((*before, Manifest(name="test_gates", extensions=(GATES(*gates),))))

    yield register
    manifest.install(before)


@pytest.mark.parametrize(("kind", "state"), [("condition", "running"), ("signal", "paused")])
def test_a_failed_signal_only_pauses_and_a_failed_condition_does_nothing(registered, kind, state):
    rollout_id = planned()
    running_at(500, rollout_id)
    reading = GateReading("Adjuster overrides", "fail", "at most 6.5%", "8.1%", n="2,318")
    registered(Gate(key="overrides", kind=kind, topic="quality", read=lambda _subject: [reading]))
    watch()
    assert state_of(rollout_id) == (state, "5%")
    assert served() == [(500, (OLD, NEW), state)]


def test_answers_that_come_while_a_person_reads_keep_nobody_from_resuming(
    registered, as_contributor
):
    rollout_id = planned()
    running_at(500, rollout_id)
    reading = GateReading("Adjuster overrides", "fail", "at most 6.5%", "8.1%", n="2,318")
    registered(
        Gate(key="overrides", kind="signal", topic="quality", read=lambda _subject: [reading])
    )
    pass_time(rollout_id)
    answered(100, 1_900)
    watch()
    address = f"rollouts/{rollout_id}/advance"
    shown = as_contributor.get(address).text
    assert "too few" in shown and "needs 300 more" in shown
    seen = field_value(shown, "seen")
    answered(10, 190)
    as_contributor.post(address, step="resume", seen=seen, reason="A holiday.")
    assert state_of(rollout_id) == ("running", "5%")


def test_a_figure_that_needs_a_permission_is_a_verdict_for_others_and_in_the_record(
    registered, as_contributor, as_auditor
):
    rollout_id = planned()
    running_at(500, rollout_id)
    reading = GateReading(
        "Cost per completed task",
        "fail",
        "at most €0.10",
        "€0.13",
        "€0.08 in October 2026",
        n="2,053",
        needs_permission=tenant_costs.VIEW,
    )
    registered(Gate(key="cost", kind="signal", topic="quality", read=lambda _subject: [reading]))
    address = f"rollouts/{rollout_id}"
    assert "at most €0.10" in main_text(as_contributor.get(address))
    page = main_text(as_auditor.get(address))
    assert "Cost per completed task" in page and "€" not in page
    watch()
    assert state_of(rollout_id) == ("paused", "5%")
    with make.acting("admin", read_only=True):
        (kept,) = [each for each in queries.steps(rollout_id)[0].gates if each["gate"] == "cost"]
        assert (kept["verdict"], kept["figure"], kept["needs"], kept["detail"]) == (
            "fail",
            "",
            "",
            "",
        )


@pytest.mark.parametrize("kind", ["guardrail", "signal", "condition"])
@pytest.mark.parametrize("verdict", ["missing", "undecided"])
def test_a_gate_without_a_decided_figure_never_passes_and_never_triggers(registered, kind, verdict):
    """Register a gate as any feature may, like red-team age; the ladder lists it."""
    rollout_id = planned()
    running_at(500, rollout_id)
    reading = GateReading("Red-team age", verdict, "at most 30 days", "none", n="0")
    registered(
        Gate(key="red_team_age", kind=kind, topic="quality", read=lambda _subject: [reading])
    )
    watch()
    assert state_of(rollout_id) == ("running", "5%")
    pass_time(rollout_id)
    answered(400, 7_600)
    with make.acting("viewer", read_only=True):
        at = status_of(queries.rollout(rollout_id))
        assert at.blockers == [f"1 gate of {len(at.results)} doesn't pass: Red-team age."]


def test_a_person_resumes_once_no_guardrail_fails(as_contributor):
    rollout_id = planned()
    running_at(500, rollout_id)
    evaluate(BAD)
    watch()
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}/advance"))
    assert "Grounded answers fails." in page
    evaluate()
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "Halted at 5%: 2026.12.0 can be resumed" in page
    advance(as_contributor, rollout_id)
    assert state_of(rollout_id) == ("running", "5%")


def test_automation_promotes_nothing_when_every_gate_passes():
    rollout_id = planned()
    running_at(2_500, rollout_id)
    for _ in range(3):
        watch()
    assert state_of(rollout_id) == ("running", "25%")
