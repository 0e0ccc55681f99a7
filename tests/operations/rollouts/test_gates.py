"""Inputs of gates: objectives with real measurements, and stages that a policy closes."""

from datetime import timedelta
from decimal import Decimal

import pytest

from governance.kernel import clock
from governance.kernel.intervals import Span, whole_minute
from governance.operations.measurements import actions as measurements
from governance.operations.policies import actions as policies
from governance.operations.policies.effective_policies import Content
from governance.operations.rollouts import queries
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.operations.objectives import objective_helpers as objectives
from tests.operations.rollouts.rollout_helpers import (
    NEW,
    OLD,
    advance,
    evaluate,
    pass_time,
    planned,
    readings,
    running_at,
    state_of,
    watch,
    world,
)

OBJECTIVE = "Objective: Claims triage · Availability"


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system with good runs of both releases, once."""
    world()
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture(autouse=True)
def _world(begun, isolated):
    """Roll back each test to the system."""


def _measured(indicator_id, *, good: int, hours_ago: int, minutes: int = 60) -> None:
    """Add `minutes` minutes with 100 requests each, of which `good` succeeded."""
    start = whole_minute(clock.now()) - timedelta(hours=hours_ago)
    span = Span(start, start + timedelta(minutes=minutes))
    with make.acting("admin"):
        measurements.store(list(objectives.minutes_of(indicator_id, span, good=good, total=100)))


def test_an_error_budget_that_is_burnt_at_a_stage_halts_the_release(as_viewer):
    with make.acting("admin"):
        indicator_id = objectives.define()
    rollout_id = planned()
    running_at(500, rollout_id)
    with make.acting("admin"):
        objectives.objective(indicator_id, minimum_coverage=Decimal(0))
    assert readings(rollout_id)[OBJECTIVE] == "missing"
    watch()
    assert state_of(rollout_id) == ("running", "5%")
    _measured(indicator_id, good=100, hours_ago=5)
    assert readings(rollout_id)[OBJECTIVE] == "pass"
    watch()
    assert state_of(rollout_id) == ("running", "5%")
    _measured(indicator_id, good=96, hours_ago=2)
    assert readings(rollout_id)[OBJECTIVE] == "fail"
    watch()
    assert state_of(rollout_id) == ("halted", "5%")
    with make.acting("viewer", read_only=True):
        assert queries.steps(rollout_id)[0].cause == OBJECTIVE
    page = main_text(as_viewer.get(f"rollouts/{rollout_id}"))
    assert f"Halted at 5% by Meridian {OBJECTIVE}" in page


def test_only_objectives_of_the_system_and_of_the_feature_speak_of_its_release():
    with make.acting("admin"):
        system = register.system("claims-triage", lock=True)
        systems.add_feature(system, key="summarise", fallback="No summary.")
        for feature in (None, "auto-approve", "summarise"):
            key = f"triage-{feature or 'whole'}"
            indicator_id = objectives.define(key, feature=feature)
            objectives.objective(indicator_id, name=key, minimum_coverage=Decimal(0))
    rollout_id = planned()
    running_at(0, rollout_id)
    found = [each for each in readings(rollout_id) if each.startswith("Objective: ")]
    assert found == ["Objective: triage-auto-approve", "Objective: triage-whole"]


def test_stages_that_a_policy_closes_need_time_but_no_answers(as_contributor):
    rollout_id = planned()
    running_at(100, rollout_id)
    assert "Answers by the release" in readings(rollout_id)
    with make.acting("admin"):
        content = Content("standard", {"release_ring": "stable_only"})
        policies.tighten_now(content, base=0, reason="No early releases.")
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "May be in no, Stable only starts at 50%" in page
    for share in ("5%", "25%", "50%"):
        assert "Answers by the release" not in readings(rollout_id)
        pass_time(rollout_id)
        advance(as_contributor, rollout_id)
        assert state_of(rollout_id) == ("running", share)
    assert readings(rollout_id)["Answers by the release"] == "missing"
