"""Attempts to bypass the second person, an end date or the platform minimum."""

from datetime import timedelta

import pytest

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as approvals_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Stale
from governance.operations.policies import actions, platform_minimum, queries, waivers
from governance.operations.policies.dimensions import DIMENSIONS
from governance.operations.policies.effective_policies import Content, EffectivePolicy, Platform
from governance.operations.policies.policy_diff import platform_content
from governance.operations.policies.strictness import covers
from governance.operations.policies.tiers import TIERS
from governance.operations.systems import actions as registering
from governance.operations.systems import queries as register
from tests import make
from tests.foundation.approvals import approval_helpers
from tests.operations.policies.conftest import (
    REASON,
    approval_of,
    approve_waiver,
    confirm_change,
    days_from_now,
    effective_policy,
    hidden_value,
    policy_content,
    put_in_force,
)


def operator(role: str = "operator_admin"):
    return make.acting(role, "console")


def change_platform_minimum(until=None, by: str = "operator_admin", **values):
    """Add a version of the platform minimum with these values, active or awaiting approval.

    Return its id.
    """
    with operator(by):
        now = platform_content(queries.platform())
        floor = now["floor"] | values
        row = platform_minimum.change(
            now | {"floor": floor},
            base=queries.newest_platform_number(),
            reason=REASON,
            until=until,
        )
        return row.id, row.state


def approve_version(row_id) -> None:
    approval_helpers.approve_below_pages(
        approval_of(queries.PLATFORM, row_id, "operator_admin", "console"),
        "second_operator",
        "console",
    )


def loosened_version(until, **values) -> None:
    row_id, state = change_platform_minimum(until, **values)
    assert state == "requested"
    approve_version(row_id)


@pytest.fixture
def operators(database, second_operator):
    """Return two operators."""


def test_one_operator_cannot_move_the_end_of_a_looser_floor_by_tightening_something_else(operators):
    loosened_version(days_from_now(10), retention_days=180)
    row_id, state = change_platform_minimum(days_from_now(85), content_filter="maximum")
    assert state == "requested" and queries_floor()["content_filter"] == "standard"
    approve_version(row_id)
    assert queries_floor()["retention_days"] == 180


def test_a_tighter_step_while_the_floor_is_looser_keeps_the_end_that_two_agreed_on(operators):
    end = days_from_now(10)
    loosened_version(end, retention_days=180)
    assert change_platform_minimum(content_filter="maximum")[1] == "live"
    with operator():
        assert queries.platform().until == end


def test_the_end_of_a_looser_floor_loosens_nothing_that_was_tightened_meanwhile(operators):
    loosened_version(days_from_now(20), retention_days=365)
    change_platform_minimum(content_filter="maximum")
    change_platform_minimum(days_from_now(10), retention_days=180)
    for days, retention in ((5, 180), (15, 180), (25, 90)):
        with clock.frozen(clock.now() + timedelta(days=days)):
            floor = queries_floor()
            assert (floor["content_filter"], floor["retention_days"]) == (
                "maximum",
                retention,
            ), days


def queries_floor():
    with operator():
        return queries.platform().floor


def test_a_second_operator_decides_on_the_floor_that_they_saw(operators):
    loosened_version(days_from_now(10), retention_days=180)
    row_id, _ = change_platform_minimum(days_from_now(60), retention_days=365)
    approval_id = approval_of(queries.PLATFORM, row_id, "operator_admin", "console")
    with operator("second_operator"):
        seen = kinds.fingerprint_seen(approvals_of.approval(approval_id))
    with (
        clock.frozen(clock.now() + timedelta(days=11)),
        operator("second_operator"),
        pytest.raises(Stale, match="Something has changed"),
    ):
        approvals.approve(approvals_of.approval(approval_id), seen=seen)


def test_after_a_system_with_an_override_was_retired_the_policy_is_changed_as_before(
    systems, as_admin, as_officer
):
    put_in_force(policy_content("standard", on=[(systems["ad-copywriter"], "memory", "off")]))
    with make.acting("compliance_officer"):
        registering.retire(register.system("ad-copywriter"), reason="Done with")
    confirm_change(as_admin, "policies/?tier=strict", "apply", reason=REASON)
    assert effective_policy().content == Content("strict")
    page = as_admin.get("policies/override/memory").text
    as_admin.post("policies/override/memory", seen=hidden_value(page, "seen"), level="off")


def test_a_waiver_agreed_to_under_another_floor_is_looked_at_again(systems, operators):
    put_in_force(policy_content("baseline"))
    with make.acting("admin"):
        row_id = waivers.request(
            systems["support-assistant"],
            "retention_days",
            120,
            expires_at=days_from_now(20),
            reason=REASON,
            compensation="Weekly review",
        ).id
    approval_id = approval_of(queries.WAIVER, row_id)
    approve_waiver(row_id, "compliance_officer")
    with make.acting("reviewer"):
        seen = kinds.fingerprint_seen(approvals_of.approval(approval_id))
    change_platform_minimum(retention_days=7)
    with make.acting("reviewer"), pytest.raises(Stale, match="Something has changed"):
        approvals.approve(approvals_of.approval(approval_id), seen=seen)
    approve_waiver(row_id, "reviewer")
    with make.acting("reviewer"):
        assert queries.waiver(row_id).state == "requested", (
            "an approval given under another minimum counts no more"
        )
    approve_waiver(row_id, "compliance_officer")
    with make.acting("reviewer"):
        assert queries.waiver(row_id).state == "live"


def test_what_nobody_may_waive_any_more_is_waived_no_more(systems, operators):
    put_in_force(policy_content("baseline"))
    with make.acting("admin"):
        row_id = waivers.request(
            systems["support-assistant"],
            "retention_days",
            120,
            expires_at=days_from_now(20),
            reason=REASON,
            compensation="Weekly review",
        ).id
    approve_waiver(row_id, "compliance_officer", "reviewer")
    with operator():
        now = platform_content(queries.platform())
        platform_minimum.change(now | {"unwaivable": ["retention_days"]}, base=0, reason=REASON)
    now = effective_policy()
    assert now.effective(now.systems[-1])["retention_days"].value == 90


def test_a_tier_that_is_not_there_is_as_strict_as_all_of_them_together():
    """Be strict without the tier, which can't be deleted, and keep answering products."""
    lost = EffectivePolicy(Platform(), 3, Content("gone"), ())
    found = lost.effective()
    assert found.keys() == DIMENSIONS.keys() and lost.tier.four_eyes
    for key, decided in found.items():
        assert all(covers(key, decided.value, tier.values[key]) for tier in TIERS.values())


@pytest.mark.parametrize(
    "steps",
    [
        ["strict", "regulated", "standard"],
        ["regulated", "strict"],
    ],
)
def test_no_chain_of_steps_by_one_person_ends_looser_than_it_began(systems, steps):
    """Try tier and overrides, up and down, as one person.

    The final policy covers the first one.
    """
    before = effective_policy()
    for tier in steps:
        for overrides in ({}, {"memory": "off"}, {"retention_days": "7"}):
            wanted = policy_content(
                tier,
                overrides,
                [(systems["claims-triage"], "human_review", "all")] if overrides else (),
            )
            with make.acting("admin"):
                now = queries.current_policy()
                try:
                    actions.tighten_now(wanted, base=now.number, reason=REASON)
                except (actions.NeedsSecondPerson, actions.Unchanged):
                    session().rollback()
    after = effective_policy()
    for system in (None, *after.systems):
        was, becomes = before.effective(system), after.effective(system)
        assert all(covers(key, becomes[key].value, was[key].value) for key in was)
