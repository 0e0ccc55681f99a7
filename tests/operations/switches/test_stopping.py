"""Stopping and restarting, as actions: permissions, second clicks, and bound restarts."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as approvals_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.operations.switches import actions, platform_actions, queries
from governance.operations.switches.active_stops import live
from governance.operations.switches.models import Acknowledgement, Consumer
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.foundation.approvals.approval_helpers import approve_below_pages
from tests.operations.switches import switch_helpers


@pytest.fixture(autouse=True)
def claims_system(database):
    """Return the high-risk system that most tests are about."""
    return switch_helpers.register_system()


# ---- stopping


def test_a_stop_moves_the_mark_and_stands_with_its_reason(acting):
    before = switch_helpers.tenant_revision_now()
    found = switch_helpers.stop_by_id(switch_helpers.stop_feature())
    assert found.version == before + 1 == switch_helpers.tenant_revision_now()
    assert (found.generate, found.serve, found.reason) == (True, True, switch_helpers.REASON)
    [entry] = switch_helpers.entries_of_action("switch.feature.stopped")
    assert entry.facts == {
        "key": "claims-triage",
        "name": "auto-approve",
        "generate": True,
        "serve": True,
        "version": found.version,
        "expected": 0,
    }
    assert switch_helpers.REASON.encode() not in entry.body


def test_stopping_what_is_stopped_is_harmless():
    first, mark = switch_helpers.stop_feature(), switch_helpers.tenant_revision_now()
    assert switch_helpers.stop_feature(by="compliance_officer") == first
    assert switch_helpers.stop_feature(serve=False) == first, "narrower than what is active"
    assert (
        switch_helpers.tenant_revision_now() == mark
        and len(switch_helpers.entries_of_action("switch.feature.stopped")) == 1
    )


def test_a_stop_of_the_other_plane_widens_what_stands():
    first = switch_helpers.stop_feature(serve=False)
    second = switch_helpers.stop_feature(generate=False)
    wide = switch_helpers.stop_by_id(second)
    assert (
        second != first
        and (wide.generate, wide.serve) == (True, True)
        and wide.version > switch_helpers.stop_by_id(first).version
    )
    with make.acting("admin", read_only=True):
        assert live(queries.active_stops()).stopped
    approve_below_pages(request_restart(first), "compliance_officer")
    assert switch_helpers.active_stops() == [], "both rows of the scope end together"


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"reason": "  "}, "reason"),
        ({"generate": False, "serve": False}, "generate"),
        ({"remind_at": timedelta(hours=-1)}, "remind_at"),
        ({"remind_at": timedelta(days=900)}, "remind_at"),
    ],
)
def test_what_no_stop_may_be(acting, options, field):
    options = {
        name: clock.now() + value if isinstance(value, timedelta) else value
        for name, value in options.items()
    }
    with acting("admin"), pytest.raises(Invalid) as refused:
        actions.stop("feature", *switch_helpers.find_feature(), **{"reason": "x", **options})
    assert refused.value.field == field and switch_helpers.active_stops() == []


@pytest.mark.parametrize("scope", ["everything", "tenant", "system"])
def test_a_scope_names_what_it_is_of(acting, scope):
    with acting("admin"), pytest.raises(Invalid):
        actions.stop(scope, *switch_helpers.find_feature(), reason="x")


def test_a_feature_of_another_system_and_what_was_retired_are_no_scope(acting):
    switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    with acting("admin"):
        other, (_, mine) = register.system("ad-copywriter"), switch_helpers.find_feature()
        with pytest.raises(Invalid, match="another AI system"):
            actions.stop("feature", other, mine, reason="x")
        systems.retire(other, reason="Gone.")
        with pytest.raises(Invalid, match="retired"):
            actions.stop("system", other, None, reason="x")


def test_a_stop_of_everything_covers_every_system(acting):
    with acting("contributor"):
        actions.stop("tenant", None, None, reason="x")
    with acting("admin", read_only=True):
        [found] = queries.active_stops()
        assert found.covers(None) and found.covers(register.system("claims-triage").id)
    assert len(switch_helpers.entries_of_action("switch.tenant.stopped")) == 1


# ---- restarting a high-risk system


def request_restart(stop_id, by="admin"):
    """Request a restart. Return the request's id."""
    with make.acting(by):
        found = queries.stop(stop_id)
        return actions.request_restart(
            found, seen=actions.seen(found), reason="Fixed in release 12."
        ).id


def request(approval_id):
    with make.acting("admin", read_only=True):
        found = approvals_of.approval(approval_id)
        session().expunge_all()
        return found


def test_the_high_risk_lane_takes_two(acting):
    held = switch_helpers.stop_feature()
    shown = switch_helpers.stop_fingerprint(held)
    with acting("admin"), pytest.raises(DomainError, match="needs two people"):
        actions.restart(queries.stop(held), seen=shown, reason="x")
    requested = request_restart(held)
    assert request_restart(held) == requested, "twice is once"
    with pytest.raises(Forbidden, match="another person must decide"):
        approve_below_pages(requested, "admin")
    before = switch_helpers.tenant_revision_now()
    approve_below_pages(requested, "compliance_officer")
    assert (
        switch_helpers.active_stops() == [] and switch_helpers.tenant_revision_now() == before + 1
    )
    [entry] = switch_helpers.entries_of_action("switch.feature.restarted")
    assert (
        entry.facts["version"] == switch_helpers.stop_by_id(held).version
        and len(switch_helpers.entries_of_action("switch.restart.requested")) == 1
    )
    found = switch_helpers.stop_by_id(held)
    assert (found.restart_requested_by, found.restarted_by) == (
        make.person_id("admin"),
        make.person_id("compliance_officer"),
    )
    assert found.restart_reason == "Fixed in release 12."


def test_who_stopped_may_be_one_of_the_two():
    """Allow it: they know best why, and may request or approve like any other."""
    held = switch_helpers.stop_feature(by="compliance_officer")
    approve_below_pages(request_restart(held), "compliance_officer")
    assert switch_helpers.active_stops() == []


def test_the_standard_lane_takes_one_with_a_reason(acting):
    switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    held = switch_helpers.stop_feature("draft", "ad-copywriter")
    with acting("admin"):
        found = queries.stop(held)
        with pytest.raises(DomainError, match="needs only you"):
            actions.request_restart(found, seen=actions.seen(found), reason="Fixed.")
        with pytest.raises(Invalid, match="Enter a reason"):
            actions.restart(found, seen=actions.seen(found), reason=" ")
        actions.restart(found, seen=actions.seen(found), reason="Fixed.")
        actions.restart(found, seen="whatever")  # The second click of the same person.
    assert (
        switch_helpers.active_stops() == []
        and len(switch_helpers.entries_of_action("switch.feature.restarted")) == 1
    )
    with acting("compliance_officer"), pytest.raises(DomainError, match="already restarted it"):
        actions.restart(queries.stop(held), seen="whatever", reason="x")


def test_everything_takes_two_while_one_live_system_is_high_risk(acting):
    with acting("admin"):
        held = actions.stop("tenant", None, None, reason="x")
        assert queries.needs_second(held)
        requested = actions.request_restart(held, seen=actions.seen(held), reason="Fixed.")
        systems.retire(register.system("claims-triage"), reason="Gone.")
        assert not queries.needs_second(held)
        with pytest.raises(DomainError, match="Decide on that request, or withdraw it"):
            actions.restart(held, seen=actions.seen(held), reason="Fixed.")
        approvals.withdraw(requested)
        actions.restart(held, seen=actions.seen(held), reason="Fixed.")
    assert switch_helpers.active_stops() == []


def test_a_stop_that_is_pressed_again_voids_the_request_to_restart(acting):
    """Void it even if the second stop adds nothing, since that person wants it stopped."""
    held = switch_helpers.stop_feature()
    first = request_restart(held)
    assert switch_helpers.stop_feature(by="compliance_officer") == held
    assert (request(first).state, switch_helpers.stop_by_id(held).restarted_at) == ("voided", None)
    with pytest.raises(Stale):
        approve_below_pages(first, "compliance_officer")
    [entry] = switch_helpers.entries_of_action("switch.restart.rejected")
    assert switch_helpers.REASON in request(first).note and entry.target_id == held
    again = request_restart(held)
    assert again != first
    approve_below_pages(again, "compliance_officer")
    assert switch_helpers.active_stops() == []


def test_a_stop_of_the_other_plane_voids_the_request_too():
    held = switch_helpers.stop_feature(serve=False)
    requested, shown = request_restart(held), switch_helpers.stop_fingerprint(held)
    switch_helpers.stop_feature(generate=False)
    with pytest.raises(Stale):
        approve_below_pages(requested, "compliance_officer")
    with (
        make.acting("compliance_officer"),
        pytest.raises(Stale, match="has changed since you opened this page"),
    ):
        actions.request_restart(queries.stop(held), seen=shown, reason="Fixed.")
    assert len(switch_helpers.active_stops()) == 2 and request(requested).state == "voided"


def test_a_wider_or_narrower_stop_is_looked_at_before_the_restart_is_approved(acting):
    """Keep the request, but show the changed stop to the approver first."""
    held = switch_helpers.stop_feature()
    requested = request_restart(held)
    with acting("compliance_officer"):
        shown = kinds.fingerprint_seen(approvals_of.approval(requested))
    whole = switch_helpers.stop_feature(None)
    with (
        acting("compliance_officer"),
        pytest.raises(Stale, match="Review the request as it is now"),
    ):
        approvals.approve(approvals_of.approval(requested), seen=shown)
    approve_below_pages(requested, "compliance_officer")
    assert [s.id for s in switch_helpers.active_stops()] == [whole], "the wider stop stays"


def test_a_restart_of_what_was_archived_since_is_void(acting):
    """Void it: a retired system is not restarted on facts about a live one.

    A request that includes the retirement may be approved.
    """
    held = switch_helpers.stop_feature()
    requested = request_restart(held)
    with acting("admin"):
        systems.retire(register.system("claims-triage"), reason="Gone.")
    with pytest.raises(Stale, match="so this request is void"):
        approve_below_pages(requested, "compliance_officer")
    assert len(switch_helpers.active_stops()) == 1
    again = request_restart(held)
    assert request(requested).state == "voided"
    approve_below_pages(again, "compliance_officer")
    assert switch_helpers.active_stops() == []


def test_a_lane_that_was_raised_since_is_stale(acting):
    switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    held = switch_helpers.stop_feature("draft", "ad-copywriter")
    shown = switch_helpers.stop_fingerprint(held)
    with acting("compliance_officer"):
        systems.raise_lane(register.system("ad-copywriter"), "high_risk", reason="It decides now.")
    with acting("admin"), pytest.raises(Stale):
        actions.restart(queries.stop(held), seen=shown, reason="Fixed.")
    with acting("admin"), pytest.raises(Stale):
        actions.request_restart(queries.stop(held), seen=shown, reason="Fixed.")


def test_an_earlier_request_is_not_approved_in_place_of_a_later_one(acting):
    held = switch_helpers.stop_feature()
    first = request_restart(held)
    with acting("admin"):
        approvals.withdraw(approvals_of.approval(first))
    later = request_restart(held, by="compliance_officer")
    with pytest.raises(Stale, match="already withdrawn"):
        approve_below_pages(first, "reviewer")
    approve_below_pages(later, "reviewer")
    assert (
        len(switch_helpers.entries_of_action("switch.restart.requested")) == 2
        and len(switch_helpers.entries_of_action("switch.restart.rejected")) == 1
    )


def test_a_second_person_keeps_it_stopped_with_a_reason(acting):
    held = switch_helpers.stop_feature()
    requested = request_restart(held)
    with acting("compliance_officer"):
        found = approvals_of.approval(requested)
        with pytest.raises(Invalid):
            approvals.reject(found, reason=" ")
        approvals.reject(found, reason="The test still fails.")
        with pytest.raises(Stale, match="already rejected"):
            approvals.reject(found, reason="x")
        assert "is still stopped" in kinds.describe(found).effects[0].lead
    assert (
        len(switch_helpers.active_stops()) == 1
        and len(switch_helpers.entries_of_action("switch.restart.rejected")) == 1
    )


def test_a_request_to_restart_expires_and_leaves_it_stopped(acting):
    held = switch_helpers.stop_feature()
    requested = request_restart(held)
    with clock.frozen(switch_helpers.seconds_from_now(8 * 86400)):
        with pytest.raises(Stale, match="expired"):
            approve_below_pages(requested, "compliance_officer")
        assert request_restart(held) != requested
    assert len(switch_helpers.active_stops()) == 1 and request(requested).state == "expired"


def test_what_is_stopped_above_stays(acting):
    """Keep the system stopped when one of its features restarts."""
    switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    whole, part = (
        switch_helpers.stop_feature(None, "ad-copywriter"),
        switch_helpers.stop_feature("draft", "ad-copywriter"),
    )
    with acting("admin"):
        actions.restart(queries.stop(part), seen=actions.seen(queries.stop(part)), reason="Fixed.")
    assert [s.id for s in switch_helpers.active_stops()] == [whole]


# ---- acknowledgements of workers


def test_acknowledgements_make_a_stop_obeyed(acting):
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["a", "b"], at=switch_helpers.seconds_from_now(-60))
    held = switch_helpers.stop_by_id(switch_helpers.stop_feature())
    assert len(held.expected) == 2
    switch_helpers.note_answers(key, ["a"], at=held.created_at + timedelta(seconds=0.25))
    switch_helpers.note_answers(key, ["a", "b"], at=held.created_at + timedelta(seconds=0.75))
    with acting("admin", read_only=True):
        found = queries.obediences([queries.stop(held.id)])[held.id]
    assert [one.seconds for one in found.each] == [0.25, 0.75], "the first acknowledgement counts"
    assert found.is_whole and found.within(1)


def test_versions_only_grow_and_one_batch_tells_each_once(acting):
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["a"], version=9)
    switch_helpers.note_answers(key, ["a"], version=3)
    switch_helpers.note_answers(key, ["a", "a", "a"], version=12)
    with acting("admin", read_only=True):
        assert session().scalars(select(Consumer.version)).all() == [12]


def test_a_batch_costs_six_statements_however_long(acting):
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["a"], at=switch_helpers.seconds_from_now(-60))
    for what in ("auto-approve", "summarise", None):
        switch_helpers.stop_feature(what)
    number = switch_helpers.tenant_revision_now()
    switch_helpers.note_answers(key, [f"worker-{n}" for n in range(60)], version=number)
    with acting("admin", read_only=True):
        ours = Acknowledgement.stop_id.in_(
            [s.id for s in session().scalars(queries.select_own_active()).all()]
        )
        assert session().scalar(select(func.count()).where(ours)) == 180


def test_a_consumer_of_another_system_neither_has_to_obey_nor_does(acting, claims_system):
    other = switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["theirs"], system_id=other)
    switch_helpers.note_answers(key, ["ours"], system_id=claims_system)
    held = switch_helpers.stop_feature()
    switch_helpers.note_answers(key, ["theirs"], system_id=other)
    switch_helpers.note_answers(key, ["ours"], system_id=claims_system)
    with acting("admin", read_only=True):
        found = queries.obediences([queries.stop(held)])[held]
    assert [one.listener.name for one in found.each] == ["ours"] and found.later == 0


def test_who_was_silent_for_a_day_is_not_waited_for(acting):
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["old"], at=switch_helpers.seconds_from_now(-90_000))
    switch_helpers.note_answers(key, ["new"], at=switch_helpers.seconds_from_now(-3600))
    assert len(switch_helpers.stop_by_id(switch_helpers.stop_feature()).expected) == 1


def test_a_late_batch_after_the_restart_tells_only_what_was_in_time(acting):
    switch_helpers.register_system("ad-copywriter", "standard", ("draft",))
    key = switch_helpers.create_api_key()
    switch_helpers.note_answers(key, ["a", "b"])
    held = switch_helpers.stop_by_id(switch_helpers.stop_feature("draft", "ad-copywriter"))
    with acting("admin"):
        actions.restart(
            queries.stop(held.id), seen=actions.seen(queries.stop(held.id)), reason="Fixed."
        )
    ended = switch_helpers.stop_by_id(held.id).restarted_at
    switch_helpers.note_answers(key, ["a"], version=held.version, at=ended)
    switch_helpers.note_answers(key, ["b"], at=ended + timedelta(seconds=5))
    with acting("admin", read_only=True):
        found = queries.obediences([queries.stop(held.id)])[held.id]
    assert [one.name for one in found.missing] == ["b"]


# ---- the operators


@pytest.fixture
def second_operator(database):
    """Return another person of the same role."""
    make.add_member("second_operator", "console")
    return "second_operator"


def test_the_operator_stops_every_tenant_and_a_second_one_restarts(acting, second_operator):
    with acting("operator_admin", "console"):
        held = platform_actions.stop_platform(reason="A model answers nonsense everywhere.")
        assert platform_actions.stop_platform(reason="Again.").id == held.id
        with pytest.raises(Stale):
            platform_actions.request_platform_restart(seen="another", reason="Fixed.")
        requested = platform_actions.request_platform_restart(
            seen=platform_actions.platform_seen(held), reason="Fixed."
        ).id
    with pytest.raises(Forbidden, match="You requested this yourself"):
        approve_below_pages(requested, "operator_admin", "console")
    for slug in ("acme", "globex"):
        with acting("admin", slug, read_only=True):
            assert [s.scope for s in queries.active_stops()] == ["platform"]
    approve_below_pages(requested, second_operator, "console")
    with acting("admin", read_only=True):
        assert queries.active_stops() == []
    with acting("operator_admin", "console", read_only=True):
        [past] = queries.platform_stops_past()
        assert (
            past.restart_requested_by == make.person_id("operator_admin", "console")
            and past.restart_reason == "Fixed."
        )


def test_stopping_everything_again_voids_the_request_to_restart_it(acting, second_operator):
    for again in ({"serve": False}, {}):  # As wide as before, and wider.
        with acting("operator_admin", "console"):
            held = platform_actions.stop_platform(serve=False, reason="x")
            seen = platform_actions.platform_seen(held)
            requested = platform_actions.request_platform_restart(seen=seen, reason="Fixed.").id
            platform_actions.stop_platform(reason="Worse than thought.", **again)
        with pytest.raises(Stale, match="already voided"):
            approve_below_pages(requested, second_operator, "console")
    with acting("operator_admin", "console"):
        assert queries.platform_stop().serve
        with pytest.raises(Invalid):
            platform_actions.stop_platform(reason="x", generate=False, serve=False)
