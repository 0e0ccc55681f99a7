"""Two people who decide on one approval at the same time, on their own connections."""

import threading

from governance.foundation.approvals import actions, kinds, queries
from governance.foundation.people.queries import membership_of
from governance.kernel import clock, current
from governance.kernel.data.db import find, transaction
from governance.kernel.errors import DomainError
from governance.operations.systems.models import AISystem
from tests import make
from tests.foundation.approvals.conftest import NAME, set_purpose
from tests.waiting import MAX_WAIT_SECONDS


def run_concurrently(*deeds):
    """Return the results of (role, action) pairs that ran at once, each in its own transaction."""
    start, outcomes = threading.Barrier(len(deeds)), []

    def act(role, action):
        try:
            with current.acting_as(make.actor(role)):
                start.wait(MAX_WAIT_SECONDS)
                with transaction():
                    outcome = action()
                outcomes.append(outcome)
        except DomainError as refused:
            outcomes.append(refused.message)

    threads = [threading.Thread(target=act, args=each) for each in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    return outcomes


def request(purposes, key, needed=1):
    system = purposes.system(key=key)
    approval = purposes.requested(system, needed=needed)
    with make.acting("compliance_officer"):
        seen = kinds.fingerprint_seen(queries.approval(approval))
    return system, approval, seen


def approving(approval, seen):
    def deed():
        actions.approve(queries.approval(approval), seen=seen)
        return "approved"

    return deed


def test_an_edit_and_an_approval_at_once_come_one_after_the_other(committed_world, purpose_kind):
    """Apply the approved change before the edit, or void the approval by the edit."""
    make.add_member("second_admin", since=clock.now() - make.MEMBERS_FOR)
    for number in range(6):
        system, approval, seen = request(purpose_kind, f"edited-{number}")
        purpose_kind.applied.clear()

        def edit(system=system):
            was_open = actions.void(NAME, system, reason="Edited")
            set_purpose(system, "Sorts letters.")
            return "voided" if was_open else "too late"

        outcomes = set(run_concurrently(("reviewer", approving(approval, seen)), ("admin", edit)))
        with make.acting("admin", read_only=True):
            state, purpose = queries.approval(approval).state, find(AISystem, system).purpose
        assert purpose == "Sorts letters."
        if state == "approved":
            assert outcomes == {"approved", "too late"} and len(purpose_kind.applied) == 1
        else:
            assert state == "voided" and "voided" in outcomes and purpose_kind.applied == []


def test_two_approvers_at_once_apply_it_once(committed_world, purpose_kind):
    _system, approval, seen = request(purpose_kind, "twice")
    purpose_kind.applied.clear()
    outcomes = run_concurrently(
        ("reviewer", approving(approval, seen)), ("compliance_officer", approving(approval, seen))
    )
    assert sorted(outcomes) == [
        "This request was already approved. Nothing was changed.",
        "approved",
    ]
    assert len(purpose_kind.applied) == 1


def test_a_double_click_of_one_person_applies_it_once(committed_world, purpose_kind):
    _system, approval, seen = request(purpose_kind, "double")
    purpose_kind.applied.clear()
    assert (
        run_concurrently(
            ("reviewer", approving(approval, seen)), ("reviewer", approving(approval, seen))
        )
        == ["approved"] * 2
    )
    assert len(purpose_kind.applied) == 1


def test_an_approval_and_a_withdrawal_at_once_leave_one(committed_world, purpose_kind):
    _system, approval, seen = request(purpose_kind, "withdrawn")
    purpose_kind.applied.clear()

    def withdraw():
        actions.withdraw(queries.approval(approval))
        return "withdrawn"

    run_concurrently(("reviewer", approving(approval, seen)), ("admin", withdraw))
    with make.acting("admin", read_only=True):
        state = queries.approval(approval).state
    assert (state, len(purpose_kind.applied)) in {("approved", 1), ("withdrawn", 0)}


def test_two_requests_at_once_are_one(committed_world, purpose_kind):
    system = purpose_kind.system(key="requested")

    def ask():
        return actions.request(NAME, system, summary="change it", reason="It grew").id

    one, other = run_concurrently(("admin", ask), ("compliance_officer", ask))
    assert one == other


def test_who_loses_their_role_while_they_approve_is_told_and_nothing_is_given(
    committed_world, purpose_kind
):
    """Reject a viewer who opened the page as a compliance officer."""
    _system, approval, seen = request(purpose_kind, "demoted")
    purpose_kind.applied.clear()
    with make.acting("admin"):
        reviewer = membership_of(make.person_id("reviewer"))
        assert reviewer
        reviewer.role = "viewer"
    assert run_concurrently(("reviewer", approving(approval, seen))) == [queries.ROLE_LOST]
    with make.acting("admin", read_only=True):
        row = queries.approval(approval)
        assert (row.state, queries.given(row), purpose_kind.applied) == ("open", [], [])
