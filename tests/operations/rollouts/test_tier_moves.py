"""The gates of open rollouts that a change of the policy tier affects."""

import pytest

from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.operations.rollouts.rollout_helpers import (
    LIMITS,
    NEW,
    OLD,
    evaluate,
    planned,
    readings,
    running_at,
    state_of,
    watch,
    world,
)

BETWEEN = (190, 10)  # More than 90%, less than 99%.


@pytest.fixture
def at_one_percent(app, isolated):
    """Bring RO-1 to 1%. Its release passes in Standard and misses the limit of Strict."""
    world(limits=LIMITS | {"strict": 0.99, "regulated": 0.99})
    for release in (OLD, NEW):
        evaluate(BETWEEN, release)
    rollout_id = planned()
    running_at(100, rollout_id)
    return rollout_id


def test_a_tighter_tier_names_the_rollout_that_it_would_halt(at_one_percent, as_admin):
    page = main_text(as_admin.get("policies/?tier=strict"))
    assert f"RO-1 of {NEW}: 1 gate would read differently." in page
    assert "Grounded answers would fail, not pass. Meridian would halt it." in page
    assert (
        f"Grounded answers in run 2 of {NEW} (RO-1, running at 1%) would be fail, not pass" in page
    )
    assert f"Grounded answers in run 1 of {OLD} (Served) would be fail, not pass" in page
    html = as_admin.get("policies/?tier=strict").text
    sent = {name: field_value(html, name) for name in ("tier", "on", "base", "seen")}
    as_admin.post("policies/change", **sent, verb="apply", reason="An incident.")
    watch()
    assert state_of(at_one_percent) == ("halted", "1%")


def test_a_looser_tier_names_the_condition_that_would_fail(at_one_percent, as_admin):
    page = main_text(as_admin.get("policies/?tier=baseline"))
    assert f"RO-1 of {NEW}: 1 gate would read differently." in page
    assert "Policy tier would fail, as it needs Standard or stricter." in page
    assert "Meridian would halt" not in page
    assert readings(at_one_percent)["Policy tier"] == "pass"


def test_a_tier_with_the_same_limits_names_no_rollout(app, isolated, as_admin, as_neighbour):
    world()
    for release in (OLD, NEW):
        evaluate(BETWEEN, release)
    running_at(100, planned())
    assert "RO-1" not in main_text(as_admin.get("policies/?tier=strict"))
    assert "RO-1" not in main_text(as_neighbour.get("policies/?tier=baseline"))
