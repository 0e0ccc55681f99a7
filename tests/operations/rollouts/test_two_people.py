"""Rollouts of a high-risk system: one person requests a step, another approves what both saw."""

import pytest

from governance.kernel.errors import DomainError
from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.status import status_of
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.operations.rollouts.rollout_helpers import (
    ALSO_GOOD,
    BAD,
    NEW,
    OLD,
    advance,
    approval_of,
    approve,
    evaluate,
    pass_time,
    planned,
    state_of,
    world,
)


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a high-risk system with good runs of both releases, once."""
    world("high_risk")
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture
def high_risk(begun, isolated):
    """Return the system. Each test is rolled back to it."""


def test_high_risk_takes_two_people_who_see_the_gates(high_risk, as_contributor, as_officer):
    rollout_id = planned()
    reply = advance(as_contributor, rollout_id)
    assert "/approvals/" in reply.location and state_of(rollout_id) == ("planned", "")
    address = approval_of(as_officer, rollout_id)
    as_contributor.post(address, then=403, verb="approve", seen="x", typed="", reason="")
    approve(as_officer, address)
    assert state_of(rollout_id) == ("running", "Shadow")
    pass_time(rollout_id)
    advance(as_contributor, rollout_id)
    page = main_text(as_officer.get(approval_of(as_officer, rollout_id)))
    assert "promote RO-1 of claims-triage, release 2026.12.0 to 1%" in page
    assert "Grounded answers: pass." in page
    approve(as_officer, approval_of(as_officer, rollout_id))
    assert state_of(rollout_id) == ("running", "1%")
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "requested by Anna Rossi, approved by Ines Duarte" in page


def test_one_person_alone_advances_no_high_risk_rollout(high_risk):
    rollout_id = planned()
    with make.acting("admin"):
        row = queries.rollout(rollout_id)
        at = status_of(row)
        with pytest.raises(DomainError, match="needs two people"):
            actions.advance(row, step="start", seen=at.fingerprint)


def test_an_approval_after_a_figure_changed_is_refused(high_risk, as_contributor, as_officer):
    rollout_id = planned()
    advance(as_contributor, rollout_id)
    approve(as_officer, approval_of(as_officer, rollout_id))
    pass_time(rollout_id)
    advance(as_contributor, rollout_id)
    address = approval_of(as_officer, rollout_id)
    seen = field_value(as_officer.get(address).text, "seen")
    evaluate(ALSO_GOOD)
    reply = approve(as_officer, address, then=409, seen=seen)
    assert "Something has changed since you opened this page" in main_text(reply)
    assert state_of(rollout_id) == ("running", "Shadow")
    approve(as_officer, address)
    assert state_of(rollout_id) == ("running", "1%")


def test_an_approval_is_blocked_once_a_gate_fails(high_risk, as_contributor, as_officer):
    rollout_id = planned()
    advance(as_contributor, rollout_id)
    approve(as_officer, approval_of(as_officer, rollout_id))
    pass_time(rollout_id)
    advance(as_contributor, rollout_id)
    evaluate(BAD)
    reply = approve(as_officer, approval_of(as_officer, rollout_id), then=409)
    assert "pass" in main_text(reply) and state_of(rollout_id) == ("running", "Shadow")


def test_one_person_halts_and_a_halt_voids_a_request(high_risk, as_contributor, as_officer):
    rollout_id = planned()
    advance(as_contributor, rollout_id)
    approve(as_officer, approval_of(as_officer, rollout_id))
    pass_time(rollout_id)
    advance(as_contributor, rollout_id)
    address = approval_of(as_officer, rollout_id)
    as_contributor.post(f"rollouts/{rollout_id}/halt", reason="Adjusters complain.")
    assert state_of(rollout_id) == ("halted", "Shadow")
    page = main_text(as_officer.get(address))
    assert "The rollout was halted." in page
    page = main_text(as_officer.get(f"rollouts/{rollout_id}"))
    assert "Adjusters complain." in page and "Resume…" in page
