"""Drills: planned, approved, run exactly once by the jobs process, always ended.

They are stored as evidence.
"""

import csv
import html
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls import adoption_actions, drill_evidence, starter_pack
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence import version_queries
from governance.assurance.evidence.models import Evidence, EvidenceLink, EvidenceVersion
from governance.assurance.frameworks import actions as frameworks
from governance.demo import stops_and_drills as story
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import jobs as approval_jobs
from governance.foundation.approvals import queries as approvals_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, Stale
from governance.kernel.files import storage
from governance.operations.switches import actions, drill_actions, jobs, queries
from governance.operations.switches.models import Drill
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.foundation.approvals.approval_helpers import (
    approve_below_pages,
    decide_approval,
    newest_approval_id,
    newest_approval_page,
)
from tests.operations.switches import switch_helpers


@pytest.fixture(autouse=True)
def standard_system(database):
    """Register a system of the standard risk class, whose drills need one person."""
    return switch_helpers.register_system("ad-copywriter", "standard", ("draft", "translate"))


def plan_drill(seconds=5, part="draft", of="ad-copywriter", **options):
    """Plan a drill that is due in a minute."""
    with make.acting("admin"):
        return drill_actions.plan(
            *switch_helpers.find_feature(part, of),
            due_at=switch_helpers.seconds_from_now(60),
            seconds=seconds,
            **options,
        ).id


def drill(drill_id) -> Drill:
    with make.acting("admin", read_only=True):
        found = queries.drill(drill_id)
        session().expunge(found)
        return found


def seconds_later(seconds):
    """Freeze the clock `seconds` seconds later."""
    return clock.frozen(switch_helpers.seconds_from_now(seconds))


def started_stop(drill_id):
    """Check that the stop is active and return its row."""
    with seconds_later(61):
        assert jobs.run_once()
    with make.acting("admin", read_only=True):
        found = queries.stop_of_drill(drill_id)
        session().expunge(found)
        return found


# ---- running


def test_a_drill_is_a_real_stop_that_ends_when_every_consumer_obeyed():
    key, drill_id = switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["a", "b"])
    assert not jobs.run_once(), "not yet due"
    before = switch_helpers.tenant_revision_now()
    held = started_stop(drill_id)
    assert (drill(drill_id).state, drill(drill_id).expected, held.version) == (
        "running",
        2,
        before + 1,
    )
    with make.acting("admin", read_only=True):
        [over] = queries.active_stops()
        assert over.is_drill and over.generate and over.serve
    switch_helpers.note_answers(
        key, ["a", "b"], version=held.version, at=held.created_at + timedelta(seconds=0.6)
    )
    with seconds_later(62):
        assert not jobs.run_once()
    found = drill(drill_id)
    assert (found.state, found.obeyed, found.slowest_ms) == ("passed", 2, 600)
    assert (
        switch_helpers.active_stops() == [] and switch_helpers.tenant_revision_now() == before + 2
    )
    [entry] = switch_helpers.entries_of_action("switch.drill.passed")
    assert entry.facts == {
        "key": "ad-copywriter",
        "name": "draft",
        "expected": 2,
        "obeyed": 2,
        "slowest_ms": 600,
    }


def test_who_does_not_obey_in_time_is_named():
    key, drill_id = switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["quick", "slow", "silent"])
    held = started_stop(drill_id)
    switch_helpers.note_answers(
        key, ["quick"], version=held.version, at=held.created_at + timedelta(seconds=1)
    )
    with seconds_later(67):
        assert jobs.run_once(), "lifted, but what was heard in time may still come in"
        assert switch_helpers.active_stops() == []
    switch_helpers.note_answers(
        key, ["slow"], version=held.version, at=held.created_at + timedelta(seconds=5.5)
    )
    with seconds_later(69):
        assert not jobs.run_once()
    found = drill(drill_id)
    assert (found.state, found.obeyed, found.found["missing"]) == ("failed", 1, ["slow", "silent"])


def test_what_was_heard_in_time_counts_even_if_it_is_told_late():
    key, drill_id = switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["a"])
    held = started_stop(drill_id)
    with seconds_later(67):
        jobs.run_once()
    switch_helpers.note_answers(
        key, ["a"], version=held.version, at=held.created_at + timedelta(seconds=4.9)
    )
    with seconds_later(67.5):
        jobs.run_once()
    assert drill(drill_id).state == "passed"


def test_nobody_who_listens_is_a_failure_and_stops_nothing():
    drill_id = plan_drill()
    with seconds_later(61):
        assert not jobs.run_once()
    assert (drill(drill_id).state, drill(drill_id).found["why"]) == (
        "failed",
        "no consumer was connected",
    )
    assert switch_helpers.entries_of_action("switch.drill.started") == []


def test_killed_half_way_it_is_ended_by_whoever_comes_next():
    """End a drill whose process died after the start, when another finds it an hour later."""
    key, drill_id = switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["a"])
    started_stop(drill_id)
    assert len(switch_helpers.active_stops()) == 1
    with seconds_later(3600):
        assert not jobs.run_once()
    assert drill(drill_id).state == "failed" and switch_helpers.active_stops() == []
    assert len(switch_helpers.entries_of_action("switch.drill.started")) == 1


def test_two_rounds_run_it_once():
    key, drill_id = switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["a"])
    started_stop(drill_id)
    with seconds_later(61):
        jobs.run_once()
        jobs.run_once()
    assert (
        len(switch_helpers.entries_of_action("switch.drill.started")) == 1
        and len(switch_helpers.active_stops()) == 1
    )


def test_the_job_runs_until_nothing_is_under_way():
    key, drill_id = switch_helpers.create_api_key(), plan_drill(seconds=1)
    switch_helpers.note_answers(key, ["a"])
    waited = []

    def wait(seconds):
        """Let time pass while the consumer polls."""
        waited.append(seconds)
        with make.acting("admin", read_only=True):
            held = queries.stop_of_drill(drill_id)
            version, since = held.version, held.created_at
        switch_helpers.note_answers(key, ["a"], version=version, at=since + timedelta(seconds=0.2))

    with seconds_later(61):
        jobs.run_due_drills(wait)
    assert drill(drill_id).state == "passed" and waited == [jobs.SECONDS_BETWEEN_ROUNDS]


def test_other_stops_stay_when_a_drill_ends():
    key, drill_id, held = (
        switch_helpers.create_api_key(),
        plan_drill(),
        switch_helpers.stop_feature("draft", "ad-copywriter"),
    )
    switch_helpers.note_answers(key, ["a"])
    made = started_stop(drill_id)
    switch_helpers.note_answers(key, ["a"], version=made.version, at=made.created_at)
    with seconds_later(62):
        jobs.run_once()
    assert [s.id for s in switch_helpers.active_stops()] == [held] and drill(
        drill_id
    ).state == "passed"


def test_the_stop_of_a_drill_is_not_restarted_by_hand(acting):
    key, drill_id = switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["a"])
    held = started_stop(drill_id)
    with acting("admin"), pytest.raises(DomainError, match="ends with the drill"):
        actions.restart(queries.stop(held.id), seen="x", reason="x")


def test_a_drill_of_what_was_retired_does_not_take_place(acting):
    drill_id = plan_drill()
    with acting("admin"):
        found, part = switch_helpers.find_feature("draft", "ad-copywriter")
        systems.retire_feature(part, found, reason="Gone.")
    with seconds_later(61):
        assert not jobs.run_once()
    assert drill(drill_id).state == "cancelled"


def test_it_comes_again_after_its_days():
    key, first = switch_helpers.create_api_key(), plan_drill(repeat_days=30)
    switch_helpers.note_answers(key, ["a"])
    due = drill(first).due_at
    with clock.frozen(due + timedelta(days=70)):
        jobs.run_once()
    with make.acting("admin", read_only=True):
        [following] = session().scalars(select(Drill).where(Drill.state == "planned"))
        assert following.due_at == due + timedelta(days=90), "what was missed is not made up for"


def test_another_tenants_drill_runs_in_its_own(acting):
    switch_helpers.register_system("router", "standard", ("route",), slug="globex")
    with acting("admin", "globex"):
        found = register.system("router")
        theirs = drill_actions.plan(
            found, None, due_at=switch_helpers.seconds_from_now(60), seconds=5
        ).id
    ours = plan_drill()
    with seconds_later(61):
        jobs.run_once()
    with acting("admin", "globex", read_only=True):
        assert queries.drill(theirs).state == "failed"
    assert (
        drill(ours).state == "failed"
        and len(switch_helpers.entries_of_action("switch.drill.failed")) == 1
    )


# ---- planning


def requested(**options):
    """Request a drill of claims-triage. Return its id, and that of its approval."""
    switch_helpers.register_system()
    return again(**options)


def again(**options):
    drill_id = plan_drill(
        part="auto-approve",
        of="claims-triage",
        reason="A proof of this switch is good for 90 days",
        **options,
    )
    with make.acting("admin", read_only=True):
        return drill_id, approvals_of.open_approval("drill", drill_id).id


def state_of(approval_id):
    with make.acting("admin", read_only=True):
        return approvals_of.approval(approval_id).state


def test_the_high_risk_lane_waits_for_a_second_person(acting):
    drill_id, approval = requested()
    assert drill(drill_id).state == "requested"
    with pytest.raises(Forbidden, match="You planned this drill, so another person approves it"):
        approve_below_pages(approval, "admin")
    approve_below_pages(approval, "compliance_officer")
    assert (drill(drill_id).state, drill(drill_id).approved_by) == (
        "planned",
        make.person_id("compliance_officer"),
    )
    [entry] = switch_helpers.entries_of_action("switch.drill.approved")
    assert entry.facts["name"] == "auto-approve" and entry.facts["seconds"] == 5
    with pytest.raises(Stale, match="already approved"):
        approve_below_pages(approval, "reviewer")


def test_a_request_expires_when_the_drill_was_to_begin(acting):
    drill_id, approval = requested()
    with seconds_later(61):
        assert not jobs.run_once() and drill(drill_id).state == "requested", (
            "nobody approved it, so it does not take place"
        )
        with pytest.raises(Stale, match="expired"):
            approve_below_pages(approval, "compliance_officer")
        second, _approval = again()  # An expired one blocks no other.
        assert (drill(drill_id).state, drill(second).state) == ("cancelled", "requested")
    with clock.frozen(switch_helpers.seconds_from_now(3600)):
        approval_jobs.expire()
    assert (
        drill(second).state == "cancelled"
        and len(switch_helpers.entries_of_action("switch.drill.cancelled")) == 2
    )


def test_a_drill_that_is_cancelled_voids_its_request(acting):
    drill_id, approval = requested()
    with acting("compliance_officer"):
        drill_actions.cancel(queries.drill(drill_id), reason="Claims close the quarter.")
    assert (drill(drill_id).state, state_of(approval)) == ("cancelled", "voided")
    with pytest.raises(Stale, match="already voided"):
        approve_below_pages(approval, "compliance_officer")
    assert len(switch_helpers.entries_of_action("switch.drill.cancelled")) == 1
    with acting("admin"), pytest.raises(DomainError, match="cancelled already"):
        drill_actions.cancel(queries.drill(drill_id))


@pytest.mark.parametrize(
    "change",
    [{"seconds": 60}, {"repeat_days": 7}, {"feature_id": None}, {"due_at": timedelta(hours=1)}],
)
def test_a_drill_that_was_edited_is_not_approved(acting, change):
    drill_id, approval = requested()
    with acting("admin"):
        found = queries.drill(drill_id)
        for name, value in change.items():
            setattr(found, name, found.due_at + value if name == "due_at" else value)
    with pytest.raises(Stale, match="so this request is void"):
        approve_below_pages(approval, "compliance_officer")
    assert drill(drill_id).state == "requested"


@pytest.mark.parametrize("ends", ["reject", "withdraw"])
def test_a_rejected_or_withdrawn_drill_does_not_take_place(acting, ends):
    drill_id, approval = requested()
    if ends == "reject":
        with acting("compliance_officer"):
            approvals.reject(approvals_of.approval(approval), reason="Not in this quarter.")
    else:
        with acting("admin"):
            approvals.withdraw(approvals_of.approval(approval))
    with seconds_later(61):
        assert not jobs.run_once()
    assert (
        drill(drill_id).state == "cancelled"
        and len(switch_helpers.entries_of_action("switch.drill.cancelled")) == 1
    )


def test_an_approval_holds_for_the_drills_that_repeat_it(acting):
    drill_id, approval = requested(repeat_days=30)
    approve_below_pages(approval, "compliance_officer")
    with seconds_later(61):
        assert not jobs.run_once(), "nobody listens"
    with acting("admin", read_only=True):
        [following] = session().scalars(select(Drill).where(Drill.state == "planned"))
        assert (
            following.approved_by == make.person_id("compliance_officer")
            and following.id != drill_id
        )


def test_the_high_risk_lane_needs_a_reason_and_a_time_that_leaves_room_for_the_approval(acting):
    switch_helpers.register_system()
    with acting("admin"):
        for options, field in (
            ({"reason": " "}, "reason"),
            ({"due_at": switch_helpers.seconds_from_now(-1), "reason": "x"}, "due_at"),
        ):
            with pytest.raises(Invalid) as refused:
                drill_actions.plan(
                    *switch_helpers.find_feature(),
                    **{"due_at": switch_helpers.seconds_from_now(60), "seconds": 5, **options},
                )
            assert refused.value.field == field


def test_a_drill_that_one_person_planned_does_not_take_place_on_what_was_raised_since(acting):
    """Cancel it and its repeats: a high-risk system needs the approval of another person first."""
    drill_id = plan_drill(repeat_days=7)
    with acting("compliance_officer"):
        systems.raise_lane(
            register.system("ad-copywriter"), "high_risk", reason="It writes to patients now"
        )
    with seconds_later(61):
        assert not jobs.run_once()
    assert drill(drill_id).state == "cancelled" and switch_helpers.active_stops() == []
    assert len(switch_helpers.entries_of_action("switch.drill.cancelled")) == 1
    with acting("admin", read_only=True):
        assert session().scalars(select(Drill.state)).all() == ["cancelled"]


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"due_at": timedelta(hours=-1)}, "due_at"),
        ({"due_at": timedelta(days=900)}, "due_at"),
        ({"seconds": 0}, "seconds"),
        ({"seconds": 61}, "seconds"),
        ({"repeat_days": 1}, "repeat_days"),
        ({"repeat_days": 4000}, "repeat_days"),
    ],
)
def test_what_no_drill_may_be(acting, options, field):
    options = {
        name: clock.now() + value if isinstance(value, timedelta) else value
        for name, value in options.items()
    }
    with acting("admin"), pytest.raises(Invalid) as refused:
        drill_actions.plan(
            *switch_helpers.find_feature("draft", "ad-copywriter"),
            **{"due_at": switch_helpers.seconds_from_now(60), "seconds": 5, **options},
        )
    assert refused.value.field == field


def test_one_at_a_time_and_sent_twice_is_one(acting):
    due = switch_helpers.seconds_from_now(60)
    with acting("admin"):
        scope = switch_helpers.find_feature("draft", "ad-copywriter")
        first = drill_actions.plan(*scope, due_at=due, seconds=5)
        assert drill_actions.plan(*scope, due_at=due, seconds=5) is first
        with pytest.raises(DomainError, match="already planned"):
            drill_actions.plan(*scope, due_at=switch_helpers.seconds_from_now(900), seconds=5)
        drill_actions.cancel(first)
        with pytest.raises(DomainError, match="cancelled already"):
            drill_actions.cancel(first)


# ---- evidence


def passed(key=None):
    key, drill_id = key or switch_helpers.create_api_key(), plan_drill()
    switch_helpers.note_answers(key, ["a"])
    held = started_stop(drill_id)
    switch_helpers.note_answers(
        key, ["a"], version=held.version, at=held.created_at + timedelta(seconds=0.4)
    )
    with seconds_later(62):
        jobs.run_once()
    return drill_id


def test_a_drill_files_itself_for_the_controls_that_answer_for_manage_2_4(acting):
    with acting("admin"):
        frameworks.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([c.ref for c in starter_pack.pack()], with_evidence=False)
        expected = {each.id for each in drill_evidence.supported_controls()}
    assert expected
    drill_id = passed()
    with acting("admin", read_only=True):
        piece = (
            session()
            .scalars(select(Evidence).where(Evidence.title == "Kill-switch drill of ad-copywriter"))
            .one()
        )
        [version] = session().scalars(
            select(EvidenceVersion).where(EvidenceVersion.evidence_id == piece.id)
        )
        assert (
            version.id == queries.drill(drill_id).evidence_version_id and version.source == "drill"
        )
        assert {link.control_id for link in evidence.control_links(piece)} == expected
        rows = list(
            csv.DictReader(
                io.StringIO(storage.store().open(version.storage_key).read().decode("utf-8-sig"))
            )
        )
    assert [(r["Switch"], r["Result"], r["Consumer"], r["Obeyed after (s)"]) for r in rows] == [
        ("ad-copywriter · draft", "passed", "a", "0.4")
    ]


def test_evidence_is_begun_once_for_a_system_and_a_link_taken_away_stays_away(acting):
    with acting("admin"):
        frameworks.adopt_framework("nist-ai-rmf-1.0")
        adoption_actions.adopt([c.ref for c in starter_pack.pack()], with_evidence=False)
    key = switch_helpers.create_api_key()
    passed(key)
    from governance.assurance.evidence import link_actions

    with acting("admin"):
        [piece] = session().scalars(
            select(Evidence).where(Evidence.title.startswith("Kill-switch"))
        )
        gone = (
            session()
            .scalars(select(EvidenceLink).where(EvidenceLink.evidence_id == piece.id))
            .first()
            .control_id
        )
        link_actions.unlink(piece, gone)
    passed(key)
    with acting("admin", read_only=True):
        [piece] = session().scalars(
            select(Evidence).where(Evidence.title.startswith("Kill-switch"))
        )
        assert len(version_queries.shown_versions(piece)) == 2 and gone not in {
            link.control_id for link in evidence.control_links(piece)
        }


# ---- pages


def test_a_drill_is_requested_approved_and_watched_through_the_front_door(
    as_admin, as_officer, as_viewer
):
    switch_helpers.register_system()
    with make.acting("admin", read_only=True):
        part = str(switch_helpers.find_feature()[1].id)
    local = (clock.now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    sent = {"what": part, "due_at": local, "seconds": "5", "repeat_days": ""}
    assert "The approver reads this" in main_text(as_admin.get("systems/claims-triage/drills/new"))
    assert "Enter a reason" in main_text(
        as_admin.post("systems/claims-triage/drills/new", then=422, **sent)
    )
    page = as_admin.post(
        "systems/claims-triage/drills/new",
        reason="A proof is good for 90 days",
        follow=True,
        **sent,
    )
    assert "Your request to drill claims-triage · auto-approve awaits" in main_text(page)
    with make.acting("admin", read_only=True):
        drill_id = approvals_of.approval(newest_approval_id()).target_id
    address = f"switches/drills/{drill_id}"
    assert newest_approval_page() in as_officer.get(
        address
    ).text and "awaits approval" in main_text(as_viewer.get(address))
    assert newest_approval_page() not in as_viewer.get(address).text
    text = main_text(as_officer.get(newest_approval_page()))
    assert (
        "is stopped for up to 5 seconds" in text
        and "No consumer connected in the last 24 hours." in text
    )
    decide_approval(as_admin, newest_approval_page(), 403, verb="approve")
    decide_approval(as_officer, newest_approval_page(), verb="approve")
    page = main_text(as_officer.get(address))
    assert "is planned" in page and "Approved by Ines Duarte" in page
    as_viewer.post(f"{address}/cancel", then=403)
    assert "next" in main_text(as_viewer.get("systems/claims-triage/switches"))
    as_admin.post(
        "systems/claims-triage/drills/new", then=422, what=part, due_at="never", seconds="x"
    )
    assert "was cancelled" in main_text(as_admin.post(f"{address}/cancel", follow=True))
    as_admin.post(f"{address}/cancel", then=422)


def test_the_standard_lane_plans_a_drill_at_once(as_admin):
    local = (clock.now() + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    page = as_admin.post(
        "systems/ad-copywriter/drills/new",
        what="all",
        due_at=local,
        seconds="5",
        repeat_days="",
        follow=True,
    )
    assert "Drill of ad-copywriter is planned" in main_text(page) and newest_approval_id() is None


def test_a_passed_drill_is_shown_with_what_it_found(as_viewer):
    drill_id = passed()
    text = main_text(as_viewer.get(f"switches/drills/{drill_id}"))
    assert "Obeyed by 1 of 1 consumer, slowest 0.4 s" in text and "View evidence" in text
    assert "Armed" in main_text(as_viewer.get("systems/ad-copywriter/switches"))
    assert "armed" in main_text(as_viewer.get("systems/ad-copywriter/switches"))


# ---- the demo's story


def test_the_demo_tells_a_passed_drill_and_an_active_stop(as_viewer, acting):
    with acting("admin"):
        for key, lane in (("claims-triage", "high_risk"), ("support-assistant", "standard")):
            systems.register(
                key=key, stage="live", name=key.title(), lane=lane, purpose="x", owner_id=None
            )
    with acting("admin"):
        found = register.system("ad-copywriter")
        for part in register.features(found.id):
            systems.retire_feature(part, found, reason="The story has its own.")
        story.add_features()
    key, now = switch_helpers.create_api_key(), clock.now()
    people = make.actor("admin"), make.actor("compliance_officer")
    story.tell_drill(
        *people,
        make.system_actor("acme"),
        at=now - timedelta(days=6),
        key_id=key,
        feature="auto-approve",
    )
    story.tell_stop(people[0], make.system_actor("acme"), now=now, key_id=key)
    text = main_text(as_viewer.get("systems/claims-triage/switches"))
    assert (
        "Obeyed by 14 of 14 consumers, slowest 0.8 s" in text
        and "Frankfurt, 8" in text
        and "Singapore, 2" in text
    )
    assert (
        "for 42 minutes, by Sanjay Patel: Approvals cited clauses that aren't in the policy: 11 of"
        " 1,200 in run 2304. Obeyed by 14 of 14 consumers."
        in html.unescape(as_viewer.get("controls/").text)
    )
    assert "Armed" in text and ", passed" in text
