"""Halted and paused rollouts, which the overview names until a person resumes them."""

from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.status import status_of
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.browser import words
from tests.operations.rollouts.rollout_helpers import planned, world


def _step(rollout_id, step: str) -> None:
    with make.acting("contributor"):
        row = queries.rollout(rollout_id)
        if step == "halt":
            actions.halt(row, reason="Adjusters complained.")
        else:
            actions.advance(row, step=step, seen=status_of(row).fingerprint)


def test_a_halted_rollout_is_on_the_overview_until_it_is_resumed(
    as_viewer, as_neighbour, statements
):
    evidence_helpers.create_control()
    world()
    rollout_id = planned()
    _step(rollout_id, "start")
    as_viewer.get("")
    with statements() as before:
        assert "RO-1" not in words(as_viewer.get(""))
    _step(rollout_id, "halt")
    as_viewer.get("")
    with statements() as after:
        page = as_viewer.get("")
    shown = words(page)
    for part in ("1 rollout is halted", "Release 2026.12.0 of claims-triage", "Halted in shadow"):
        assert part in shown, part
    assert f"/rollouts/{rollout_id}" in page.text and len(after) <= len(before)
    assert "RO-1" not in words(as_neighbour.get(""))
    _step(rollout_id, "resume")
    assert "1 rollout is halted" not in words(as_viewer.get(""))
