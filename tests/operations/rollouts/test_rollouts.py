"""Rollouts from plan to 100%: people's steps, gates, freezes and permissions."""

from datetime import timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from governance.foundation.approvals import actions as giving
from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Stale
from governance.operations.policies import actions as policies
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.queries import POLICY
from governance.operations.rollouts import actions, queries
from governance.operations.rollouts.status import status_of
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.operations.datasets.data_set_helpers import add_data_set, described
from tests.operations.rollouts.rollout_helpers import (
    ALSO_GOOD,
    BAD,
    NEW,
    OLD,
    UNDECIDED,
    advance,
    answered,
    evaluate,
    form,
    pass_time,
    planned,
    readings,
    running_at,
    served,
    state_of,
    world,
)

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(scope="module")
def begun(app, module_transaction):
    """Create a system of the standard risk class with good runs of both releases, once."""
    world()
    for release in (OLD, NEW):
        evaluate(release=release)


@pytest.fixture
def standard(begun, isolated):
    """Return the system. Each test is rolled back to it."""


# ---- planning


def test_a_rollout_is_planned_started_and_promoted_by_one_person(standard, as_contributor):
    reply = as_contributor.post("rollouts/new", **form())
    page = main_text(as_contributor.get(reply.location))
    assert "RO-1" in page and "2026.12.0 isn't started" in page and "Planned" in page
    rollout_id = reply.location.rsplit("/", 1)[1]
    advance(as_contributor, rollout_id)
    assert state_of(rollout_id) == ("running", "Shadow")
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "Claims grounding, paired" in page and "200 pairs" in page
    pass_time(rollout_id)
    advance(as_contributor, rollout_id)
    assert state_of(rollout_id) == ("running", "1%")
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "Shadow → 1% by Anna Rossi All gates pass." in page and "gates passed" in page
    assert served() == [(100, (OLD, NEW), "running")]


def test_the_first_stage_needs_a_rollback_plan(standard, as_contributor):
    reply = as_contributor.post("rollouts/new", **form(rollback_plan=""))
    rollout_id = reply.location.rsplit("/", 1)[1]
    refused = as_contributor.get(f"rollouts/{rollout_id}/advance")
    assert "A rollback plan is missing" in main_text(refused)
    with make.acting("contributor"):
        row = queries.rollout(rollout_id)
        at = status_of(row)
        with pytest.raises(DomainError, match="rollback plan is missing"):
            actions.advance(row, step="start", seen=at.fingerprint)
    address = f"rollouts/{rollout_id}/plan"
    seen = field_value(as_contributor.get(address).text, "seen")
    plan = {"rollback_plan": "Serve 2026.11.2.", "on_failure": "halt", "owner_id": ""}
    as_contributor.post(address, seen=seen, **plan)
    advance(as_contributor, rollout_id)
    emptied = {**plan, "rollback_plan": ""}
    seen = field_value(as_contributor.get(address).text, "seen")
    assert (
        "needs a rollback plan" in as_contributor.post(address, then=422, seen=seen, **emptied).text
    )


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"release": ""}, "Enter the new release."),
        ({"release": "2026 12"}, "Enter a release such as 2026.12.0"),
        ({"release": OLD}, "is served already"),
        ({"previous": "x" * 81}, "80"),
        ({"summary": " "}, "Describe what is new"),
        ({"change": "weights"}, "Not a valid choice"),
        ({"on_failure": "promote"}, "Not a valid choice"),
        ({"feature_id": ""}, "Choose the feature"),
        ({"rollback_plan": "x" * 4001}, "4000"),
    ],
)
def test_a_wrong_plan_is_refused_beside_its_field(standard, as_contributor, given, sentence):
    reply = as_contributor.post("rollouts/new", then=422, **form(**given))
    assert sentence in reply.text


def test_a_feature_has_one_open_rollout_and_a_form_sent_twice_plans_one(standard, as_contributor):
    once = str(uuid4())
    first, second = (as_contributor.post("rollouts/new", **form(once=once)) for _ in range(2))
    assert first.location == second.location
    reply = as_contributor.post("rollouts/new", then=422, **form())
    assert "RO-1 of this feature isn't finished yet" in main_text(reply)
    rollout_id = first.location.rsplit("/", 1)[1]
    as_contributor.post(f"rollouts/{rollout_id}/cancel", reason="Another model first.")
    as_contributor.post("rollouts/new", **form())
    assert state_of(rollout_id) == ("cancelled", "")


# ---- gates


def test_a_release_that_was_never_evaluated_cant_advance(standard):
    rollout_id = planned(release="2027.1.0")
    running_at(0, rollout_id)
    pass_time(rollout_id)
    assert readings(rollout_id)["Evaluation: Claims grounding"] == "missing"
    with make.acting("contributor"):
        row = queries.rollout(rollout_id)
        at = status_of(row)
        with pytest.raises(DomainError, match="don't pass"):
            actions.advance(row, step="promote", seen=at.fingerprint)


def test_undecided_and_failing_gates_keep_a_release_where_it_is(standard, as_contributor):
    rollout_id = planned()
    running_at(0, rollout_id)
    pass_time(rollout_id)
    evaluate(UNDECIDED)
    assert readings(rollout_id)["Grounded answers"] == "undecided"
    assert "Not possible yet" in main_text(as_contributor.get(f"rollouts/{rollout_id}/advance"))
    evaluate(BAD)
    found = readings(rollout_id)
    assert found["Grounded answers"] == "fail" and found["Claims grounding, paired"] == "fail"
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "can't advance" in page and "Fails" in page
    with make.acting("contributor", read_only=True):
        seen = status_of(queries.rollout(rollout_id)).fingerprint
    sent = {"step": "promote", "seen": seen, "reason": "I insist."}
    reply = as_contributor.post(f"rollouts/{rollout_id}/advance", then=None, **sent)
    assert reply.status_code in {409, 422} and "Grounded answers" in main_text(reply)
    assert state_of(rollout_id) == ("running", "Shadow")


def test_a_stage_needs_its_time_and_its_answers_in_the_right_ratio(standard):
    rollout_id = planned()
    running_at(100, rollout_id)
    with make.acting("viewer", read_only=True):
        assert (
            "1 d of its time at 1% is missing" in status_of(queries.rollout(rollout_id)).blockers[0]
        )
    pass_time(rollout_id)
    found = readings(rollout_id)
    assert found["Answers by the release"] == found["Sample ratio"] == "missing"
    answered(60, 5_940)
    found = readings(rollout_id)
    assert (found["Answers by the release"], found["Sample ratio"]) == ("undecided", "pass")
    answered(140, 60)
    found = readings(rollout_id)
    assert (found["Answers by the release"], found["Sample ratio"]) == ("pass", "fail")


def test_consent_that_expires_during_a_rollout_keeps_it_from_advancing(standard):
    with make.acting("admin"):
        system_id = register.system("claims-triage").id
    until = clock.today() + timedelta(days=60)
    add_data_set(content=described(consent_until=until), uses=[(system_id, "retrieval")])
    rollout_id = planned()
    running_at(100, rollout_id)
    assert readings(rollout_id)["Data sets"] == "pass"
    with clock.frozen(clock.now() + timedelta(days=61)):
        assert readings(rollout_id)["Data set: claims-2025"] == "fail"
        evaluate()
        answered(100, 9_900)
        with make.acting("contributor"):
            row = queries.rollout(rollout_id)
            at = status_of(row)
            with pytest.raises(DomainError, match="Data set: claims-2025"):
                actions.advance(row, step="promote", seen=at.fingerprint)
    assert state_of(rollout_id) == ("running", "1%")


def test_a_policy_looser_than_standard_fails_the_gate(standard):
    rollout_id = planned()
    running_at(0, rollout_id)
    assert readings(rollout_id)["Policy tier"] == "pass"
    with make.acting("admin"):
        asked = policies.request_approval(Content("baseline"), seen="", reason="A trial.")
        request_id = open_approval(POLICY, asked.id).id
    with make.acting("compliance_officer"):
        request = approvals.approval(request_id)
        giving.approve(request, seen=fingerprint_seen(request))
    assert readings(rollout_id)["Policy tier"] == "fail"


# ---- one step at a time


def test_a_system_that_becomes_high_risk_takes_two_people_from_then_on(standard):
    rollout_id = planned()
    with make.acting("admin"):
        system = register.system("claims-triage", lock=True)
        system.lane = "high_risk"
    with make.acting("admin", read_only=True):
        assert status_of(queries.rollout(rollout_id)).people == 2


def test_a_step_after_a_figure_changed_is_refused(standard, as_contributor):
    rollout_id = planned()
    running_at(0, rollout_id)
    pass_time(rollout_id)
    address = f"rollouts/{rollout_id}/advance"
    seen = field_value(as_contributor.get(address).text, "seen")
    evaluate(ALSO_GOOD)
    sent = {"step": "promote", "seen": seen, "reason": ""}
    reply = as_contributor.post(address, then=409, **sent)
    assert "has changed since you opened this page" in main_text(reply)
    advance(as_contributor, rollout_id)
    assert state_of(rollout_id) == ("running", "1%")


def test_of_two_promotions_at_once_the_second_is_refused(standard):
    rollout_id = planned()
    running_at(0, rollout_id)
    pass_time(rollout_id)
    with make.acting("contributor"):
        row = queries.rollout(rollout_id)
        seen = status_of(row).fingerprint
        actions.advance(row, step="promote", seen=seen)
        with pytest.raises(Stale, match="has changed"):
            actions.advance(row, step="promote", seen=seen)
    assert state_of(rollout_id) == ("running", "1%")


def test_no_stage_can_be_skipped(standard, as_contributor):
    rollout_id = planned()
    running_at(0, rollout_id)
    pass_time(rollout_id)
    address = f"rollouts/{rollout_id}/advance"
    seen = field_value(as_contributor.get(address).text, "seen")
    for step in ("finish", "start", "resume"):
        as_contributor.post(address, then=409, step=step, seen=seen, reason="")
    as_contributor.post(address, then=422, step="skip", seen=seen, reason="")
    assert state_of(rollout_id) == ("running", "Shadow")


# ---- halting, rolling back, finishing


def test_a_halted_rollout_serves_nobody_and_resumes_where_it_was(standard, as_contributor):
    rollout_id = planned()
    running_at(500, rollout_id)
    before = _revision()
    as_contributor.post(f"rollouts/{rollout_id}/halt", then=422, reason=" ")
    as_contributor.post(f"rollouts/{rollout_id}/halt", reason="A complaint.")
    assert served() == [(0, (OLD, NEW), "halted")] and _revision() > before
    advance(as_contributor, rollout_id)
    assert state_of(rollout_id) == ("running", "5%")
    assert served() == [(500, (OLD, NEW), "running")]


def _revision() -> int:
    with make.acting("viewer", read_only=True):
        return tenant_revision.current_revision()


def test_a_rollback_ends_it_and_cant_be_rolled_back(standard, as_contributor):
    rollout_id = planned()
    running_at(500, rollout_id)
    as_contributor.post(f"rollouts/{rollout_id}/roll-back", reason="Wrong clauses.")
    assert state_of(rollout_id) == ("rolled_back", "5%")
    assert served() == [(0, (OLD, NEW), "rolled_back")]
    reply = as_contributor.post(f"rollouts/{rollout_id}/roll-back", then=409, reason="Again.")
    assert "already rolled back" in main_text(reply)
    as_contributor.post(f"rollouts/{rollout_id}/halt", then=409, reason="Again.")


def test_a_release_that_passed_every_stage_is_finished(standard, as_contributor):
    rollout_id = planned()
    running_at(10_000, rollout_id)
    assert served() == [(10_000, (OLD, NEW), "running")]
    pass_time(rollout_id)
    answered(4_000, 0)
    advance(as_contributor, rollout_id)
    assert state_of(rollout_id) == ("finished", "100%")
    assert served() == [(10_000, (OLD, NEW), "finished")]
    page = main_text(as_contributor.get(f"rollouts/{rollout_id}"))
    assert "2026.12.0 reached everybody" in page


def test_the_salt_is_the_features_whatever_the_rollout(standard):
    salts = []
    for _ in range(2):
        rollout_id = planned()
        running_at(0, rollout_id)
        with make.acting("contributor"):
            salts += [each.salt for each in queries.serving()]
            actions.roll_back(queries.rollout(rollout_id), reason="Again under another name.")
    assert len(set(salts)) == 1


def test_a_policy_of_stable_releases_lets_nobody_in_before_half(standard):
    rollout_id = planned()
    running_at(500, rollout_id)
    with make.acting("viewer", read_only=True):
        (found,) = queries.serving()
        assert found.rings == ("canary", "early") and found.stage == "5%"
        assert status_of(queries.rollout(rollout_id)).ring == "early"


def test_the_page_names_earlier_releases_that_todays_limits_would_have_stopped(
    standard, as_contributor
):
    evaluate(BAD, release="2026.10.0")
    first = planned(release="2026.10.0", previous="2026.9.0")
    with make.acting("contributor"):
        row = queries.rollout(first)
        actions.advance(row, step="start", seen=status_of(row).fingerprint)
        actions.roll_back(row, reason="Adjusters complained.")
    second = planned()
    page = main_text(as_contributor.get(f"rollouts/{second}"))
    assert "would have stopped 1 of 1 earlier release" in page
    assert "Grounded answers; it was rolled back" in page


# ---- freezes


def _freeze(visitor, starts, ends, **more):
    """Add a freeze by its form, in the reader's time zone."""
    return visitor.post(
        "rollouts/freezes/",
        once=str(uuid4()),
        name="Year-end close",
        starts_at=f"{starts.astimezone(BERLIN):%Y-%m-%dT%H:%M}",
        ends_at=f"{ends.astimezone(BERLIN):%Y-%m-%dT%H:%M}",
        **more,
    )


def test_in_a_freeze_nothing_advances_but_everything_can_be_halted(
    standard, as_officer, as_contributor
):
    rollout_id = planned()
    running_at(500, rollout_id)
    now = clock.now()
    _freeze(as_officer, now, now + timedelta(days=9))
    with make.acting("contributor", read_only=True):
        at = status_of(queries.rollout(rollout_id))
        assert "A freeze is in effect until" in at.blockers[0]
    page = main_text(as_contributor.get("rollouts/freezes/"))
    assert "A freeze is in effect until" in page and "Year-end close" in page
    as_contributor.post(f"rollouts/{rollout_id}/halt", reason="A complaint.")
    assert state_of(rollout_id) == ("halted", "5%")
    reply = advance(as_contributor, rollout_id, then=409)
    assert state_of(rollout_id) == ("halted", "5%") and reply is not None


def test_the_clock_of_a_stage_leaves_out_a_freeze_that_began_in_its_middle(standard, as_officer):
    rollout_id = planned()
    running_at(100, rollout_id)
    now = clock.now()
    _freeze(as_officer, now + timedelta(hours=2), now + timedelta(hours=12))
    with (
        clock.frozen(now + timedelta(hours=20)),
        make.acting("viewer", read_only=True),
    ):
        at = status_of(queries.rollout(rollout_id))
        assert timedelta(hours=9, minutes=58) < at.dwelt < timedelta(hours=10, minutes=2)


def test_on_a_machine_whose_clock_was_set_back_no_stage_has_had_its_time(standard):
    rollout_id = planned()
    running_at(0, rollout_id)
    with clock.frozen(clock.now() - timedelta(days=40)), make.acting("contributor"):
        row = queries.rollout(rollout_id)
        at = status_of(row)
        assert at.dwelt == timedelta()
        with pytest.raises(DomainError, match="1 d of its time in shadow is missing"):
            actions.advance(row, step="promote", seen=at.fingerprint)


def test_a_freeze_that_is_cancelled_ends_and_one_in_the_past_is_refused(
    standard, as_officer, as_contributor
):
    now = clock.now()
    refused = _freeze_reply(as_officer, now - timedelta(days=3), now + timedelta(days=1))
    assert "can't begin in the past" in main_text(refused)
    refused = _freeze_reply(as_officer, now + timedelta(days=3), now + timedelta(days=1))
    assert "ends before it begins" in main_text(refused)
    _freeze(as_officer, now, now + timedelta(days=9))
    with make.acting("viewer", read_only=True):
        (freeze_id,) = [each.id for each in queries.freezes()]
    as_contributor.post(f"rollouts/freezes/{freeze_id}/cancel", then=403, reason="x")
    as_officer.post(f"rollouts/freezes/{freeze_id}/cancel", reason="The close is done.")
    assert "No freezes planned" in main_text(as_officer.get("rollouts/freezes/"))
    as_officer.post(f"rollouts/freezes/{freeze_id}/cancel", then=409, reason="Again.")


def _freeze_reply(visitor, starts, ends):
    return _freeze(visitor, starts, ends, then=422)


# ---- who, and the record


def test_viewers_only_read_and_other_tenants_see_nothing(
    standard, as_viewer, as_auditor, as_neighbour, as_stranger, as_contributor
):
    rollout_id = planned()
    running_at(0, rollout_id)
    for visitor in (as_viewer, as_auditor):
        page = main_text(visitor.get(f"rollouts/{rollout_id}"))
        assert "Promote…" not in page and "Halt" not in page.split("Gates")[0]
        for step in ("halt", "roll-back", "cancel", "advance", "plan"):
            visitor.post(f"rollouts/{rollout_id}/{step}", then=403, reason="x")
        visitor.post("rollouts/new", then=403, **form())
    for visitor in (as_neighbour, as_stranger):
        visitor.get(f"rollouts/{rollout_id}", then=404)
    as_neighbour.post(f"rollouts/{rollout_id}/halt", then=404, reason="x")
    assert "RO-1" not in as_neighbour.get("rollouts/").text
    with make.acting("viewer"), pytest.raises(Forbidden):
        actions.halt(queries.rollout(rollout_id), reason="x")


def test_each_step_is_an_entry_of_the_audit_log_with_its_gates(standard):
    rollout_id = planned()
    running_at(100, rollout_id)
    with make.acting("contributor"):
        actions.halt(queries.rollout(rollout_id), reason="A complaint.")
        actions.roll_back(queries.rollout(rollout_id), reason="Wrong clauses.")
    with make.acting("admin", read_only=True):
        rows = session().query(AuditEntry).filter(AuditEntry.target_id == rollout_id)
        named = [each.action for each in rows.order_by(AuditEntry.at, AuditEntry.id)]
    assert sorted(named) == [
        "rollout.halted",
        "rollout.planned",
        "rollout.promoted",
        "rollout.rolled_back",
        "rollout.started",
    ]


def test_the_list_and_the_systems_tab_show_where_each_release_is(standard, as_viewer):
    rollout_id = planned()
    running_at(500, rollout_id)
    page = main_text(as_viewer.get("rollouts/"))
    assert "1 rollout under way" in page and "2026.12.0" in page and "5%" in page
    assert "RO-1" not in main_text(as_viewer.get("rollouts/?state=halted"))
    assert "RO-1" in main_text(as_viewer.get("rollouts/?q=2026.12&system=claims-triage"))
    page = as_viewer.get("systems/claims-triage")
    assert "systems/claims-triage/rollouts" in page.text and "Running at 5%" in main_text(page)
    assert "RO-1" in main_text(as_viewer.get("systems/claims-triage/rollouts"))


def test_a_retired_feature_gets_no_rollout(standard, as_contributor):
    sent = form()
    with make.acting("admin"):
        system = register.system("claims-triage", lock=True)
        systems.retire_feature(register.features(system.id)[0], system, reason="Gone.")
    reply = as_contributor.post("rollouts/new", then=422, **sent)
    assert "feature" in main_text(reply).lower()
