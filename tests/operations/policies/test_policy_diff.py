"""Changes of the active policy: one person tightens at once, two people loosen.

Nobody's changes are overwritten.
"""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from governance.foundation.approvals import jobs as approval_jobs
from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid, NotFound, Stale
from governance.kernel.work import jobs
from governance.operations.policies import (
    actions,
    draft_actions,
    platform_minimum,
    queries,
    version_log,
)
from governance.operations.policies import jobs as policy_jobs
from governance.operations.policies.dimensions import plain_all, read
from governance.operations.policies.effective_policies import Content, read_content
from governance.operations.policies.policy_diff import carried_over, lines
from governance.operations.systems import actions as registering
from governance.operations.systems import queries as register
from tests import make
from tests.foundation.approvals import approval_helpers
from tests.operations.policies.conftest import (
    REASON,
    approval_of,
    approve_version,
    days_from_now,
    effective_policy,
    fingerprint_of_version,
    policy_content,
    put_in_force,
    request_version,
)


def entries(name: str) -> list[AuditEntry]:
    with make.acting("compliance_officer", read_only=True):
        found = list(
            session().scalars(
                select(AuditEntry).where(AuditEntry.action == name).order_by(AuditEntry.at)
            )
        )
        session().expunge_all()
        return found


# ---- one person tightens


def test_tightening_is_in_force_at_once_by_one_person_and_every_worker_hears_of_it(systems, acting):
    with acting("admin"):
        before = tenant_revision.current_revision()
        row = actions.tighten_now(policy_content("strict"), base=0, reason=REASON)
        assert (row.number, row.state, row.decided_by) == (1, "live", None)
        assert tenant_revision.current_revision() == before + 1
    assert effective_policy().tier.key == "strict"
    entry = entries("policy.published")[-1]
    assert entry.facts["lines"] == [["", "tier", "standard", "strict"]]
    assert "reason" in entry.sealed


def test_one_person_cannot_loosen(systems, acting):
    put_in_force(policy_content("strict"))
    with acting("admin"), pytest.raises(actions.NeedsSecondPerson, match="This loosens"):
        actions.tighten_now(policy_content("standard"), base=1, reason=REASON)
    assert effective_policy().tier.key == "strict"


def test_what_the_floor_hides_today_counts_as_loosening(systems, acting):
    """Compare without the platform minimum: it cuts both to 90 days today but may change."""
    put_in_force(policy_content("baseline", {"retention_days": 100}))
    with acting("admin"), pytest.raises(actions.NeedsSecondPerson, match="Retention"):
        actions.tighten_now(
            policy_content("baseline", {"retention_days": 120}), base=1, reason=REASON
        )


def test_tightening_and_loosening_together_is_loosening(systems, acting):
    with acting("admin"), pytest.raises(actions.NeedsSecondPerson, match="Model access"):
        put_in_force(policy_content("strict", {"model_access": ["atlas-2"]}))
        actions.tighten_now(
            policy_content("regulated", {"model_access": ["brook-1"]}), base=1, reason=REASON
        )


def test_a_double_click_applies_once(systems, acting):
    for _ in range(2):
        with acting("admin"):
            assert actions.tighten_now(policy_content("strict"), base=0, reason=REASON).number == 1
    assert len(entries("policy.published")) == 1


def test_what_is_in_force_already_is_no_change(systems, acting):
    put_in_force(policy_content("strict"))
    with acting("admin"), pytest.raises(actions.Unchanged):
        actions.tighten_now(policy_content("strict"), base=1, reason=REASON)


def test_tightening_stands_beside_a_version_that_waits(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    seen = fingerprint_of_version(waiting)
    with acting("admin"):
        assert actions.tighten_now(policy_content("regulated"), base=1, reason=REASON).number == 2
        row = queries.policy_version(waiting)
        assert row.state == "draft" and "Version 2 was published" in row.note
    with acting("compliance_officer"):
        request = approvals.latest(queries.POLICY, [waiting])[waiting]
        assert request.state == "voided" and "Version 2 was published" in request.note
        with pytest.raises(Stale, match="was already voided"):
            approval_helpers.actions.approve(request, seen=seen)


def test_an_unknown_tier_dimension_or_level_is_refused(systems, acting):
    with acting("admin"):
        with pytest.raises(Invalid, match="There is no tier lenient"):
            draft_actions.draft(policy_content("lenient"), seen="")
        with pytest.raises(Invalid, match="no level"):
            read("memory", "sometimes")
        with pytest.raises(Invalid, match="There is no setting"):
            read("mood", "high")
        with pytest.raises(NotFound):
            draft_actions.draft(policy_content(on=[(uuid4(), "memory", "off")]), seen="")


def test_a_tier_of_four_eyes_takes_two_persons_to_tighten(systems, acting, as_operator):
    with make.acting("operator_admin", "console"):
        now = queries.platform()
        tier = {
            "name": "Guarded",
            "means": "x",
            "values": plain_all(now.tiers["strict"].values),
            "four_eyes": True,
        }
        platform_minimum.change(
            {"floor": plain_all(now.floor), "tiers": {"guarded": tier}}, base=0, reason=REASON
        )
    put_in_force(policy_content("guarded"))
    with (
        acting("admin"),
        pytest.raises(actions.NeedsSecondPerson, match="every change needs a second person"),
    ):
        actions.tighten_now(policy_content("regulated"), base=1, reason=REASON)
    assert put_in_force(policy_content("regulated")) == 2


# ---- two editors


def test_the_second_of_two_editors_is_told_what_changed_and_overwrites_nothing(systems, acting):
    with acting("admin"):
        row = draft_actions.draft(policy_content("strict"), seen="")
        first = draft_actions.revision(row)
        draft_actions.draft(policy_content("strict", {"retention_days": 20}), seen=first)
    with acting("admin"):
        with pytest.raises(Stale) as refused:
            draft_actions.draft(policy_content("strict", {"retention_days": 10}), seen=first)
        assert refused.value.changes == {"Retention": ("10 days", "20 days")}
        assert read_content(queries.draft().content).overrides == {"retention_days": 20}


def test_two_who_begin_at_once_do_not_overwrite_each_other(systems, acting):
    with acting("admin"):
        draft_actions.draft(policy_content("strict"), seen="")
        with pytest.raises(Stale):
            draft_actions.draft(policy_content("regulated"), seen="")


def test_a_draft_that_is_gone_is_not_begun_again_unseen(systems, acting):
    with acting("admin"):
        row = draft_actions.draft(policy_content("strict"), seen="")
        seen = draft_actions.revision(row)
        draft_actions.withdraw(row)
        with pytest.raises(Stale, match="published or withdrawn"):
            draft_actions.draft(policy_content("regulated"), seen=seen)


def test_a_draft_is_brought_up_to_date_and_keeps_its_own_changes(systems, acting):
    with acting("admin"):
        draft_actions.draft(policy_content("strict", {"memory": "off"}), seen="")
    put_in_force(policy_content("standard", {"retention_days": 7}))
    with acting("admin"):
        row = draft_actions.rebase(seen=draft_actions.revision(queries.draft()))
        found = read_content(row.content)
        assert (found.tier, found.overrides, row.base) == (
            "strict",
            {"memory": "off", "retention_days": 7},
            1,
        )


def test_what_was_changed_on_neither_side_stays_and_what_was_removed_stays_removed():
    base = policy_content("standard", {"memory": "off", "retention_days": 30})
    mine, now = (
        policy_content("standard", {"retention_days": 30}),
        policy_content("strict", {"memory": "off", "retention_days": 20}),
    )
    assert carried_over(base, mine, now) == policy_content("strict", {"retention_days": 20})
    assert lines(base, mine)[0].after is None


# ---- a second person


def test_loosening_takes_a_reason_and_a_second_person(systems, acting):
    put_in_force(policy_content("strict"))
    with acting("admin"), pytest.raises(Invalid, match="Enter a reason"):
        actions.request_approval(policy_content("standard"), seen="", reason="  ")
    waiting = request_version(policy_content("standard"))
    approve_version(waiting)
    with acting("compliance_officer"):
        row = queries.policy_version(waiting)
        assert (row.state, row.number, row.loosens, row.decided_by) == (
            "live",
            2,
            True,
            make.person_id("compliance_officer"),
        )
    assert effective_policy().tier.key == "standard"
    assert entries("policy.approved")[-1].facts["made_by"] != str(make.person_id("admin"))


def test_nobody_approves_or_rejects_their_own(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    with pytest.raises(Forbidden, match="You edited this version"):
        approve_version(waiting, "admin")
    with acting("admin"), pytest.raises(Forbidden, match="You edited this version"):
        approval_helpers.actions.reject(open_approval(queries.POLICY, waiting), reason="no")


def test_who_edited_it_before_somebody_else_requested_approval_does_not_approve_it_either(
    systems, acting
):
    put_in_force(policy_content("strict"))
    with acting("compliance_officer"):
        draft_actions.draft(policy_content("standard"), seen="")
    waiting = request_version(policy_content("standard"))
    with pytest.raises(Forbidden, match="You edited this version"):
        approve_version(waiting)
    approve_version(waiting, "reviewer")


def test_an_edit_voids_the_request_and_what_the_second_person_saw(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    first, seen = approval_of(queries.POLICY, waiting), fingerprint_of_version(waiting)
    request_version(policy_content("baseline"))
    second = approval_of(queries.POLICY, waiting)
    with acting("compliance_officer"):
        assert (
            approvals.approval(first).state == "voided"
            and "was edited" in approvals.approval(first).note
        )
        with pytest.raises(Stale, match="changed since you opened"):
            approval_helpers.actions.approve(approvals.approval(second), seen=seen)
    with acting("admin"):
        row = queries.draft()
        draft_actions.draft(
            policy_content("baseline", {"memory": "off"}), seen=draft_actions.revision(row)
        )
        assert (row.state, row.note, row.requested_at) == ("draft", "", None)
    with acting("compliance_officer"), pytest.raises(Stale, match="was already voided"):
        approval_helpers.actions.approve(approvals.approval(second), seen=seen)
    assert effective_policy().tier.key == "strict" and len(entries("policy.returned_to_draft")) == 2


@pytest.mark.parametrize("how", ["rebase", "rollback", "schedule", "tighten"])
def test_whatever_changes_the_open_version_voids_its_request(how, systems, acting):
    put_in_force(policy_content("regulated"))
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    with acting("admin"):
        seen = draft_actions.revision(queries.draft())
        match how:
            case "rebase":
                draft_actions.rebase(seen=seen)
            case "rollback":
                draft_actions.rollback(1, seen=seen, reason=REASON)
            case "schedule":
                actions.schedule(
                    policy_content("regulated"),
                    seen=seen,
                    reason=REASON,
                    apply_at=days_from_now(days=1),
                )
            case _:
                actions.tighten_now(policy_content("regulated"), base=2, reason=REASON, seen=seen)
        assert approvals.latest(queries.POLICY, [waiting])[waiting].state == "voided"
        assert queries.policy_version(waiting).state == {
            "schedule": "scheduled",
            "tighten": "live",
        }.get(how, "draft")


def test_a_new_system_or_another_floor_is_looked_at_again(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    seen = fingerprint_of_version(waiting)
    with acting("compliance_officer"):
        registering.register(
            key="new-one",
            stage="live",
            name="New one",
            lane="high_risk",
            purpose="x",
            owner_id=None,
        )
        with pytest.raises(Stale, match="Something has changed since you opened"):
            approval_helpers.actions.approve(open_approval(queries.POLICY, waiting), seen=seen)
    approve_version(waiting)


def test_a_version_that_names_a_retired_system_cannot_be_approved(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(
        policy_content(
            "strict",
            on=[(systems["ad-copywriter"], "memory", "off")],
            overrides={"retention_days": 60},
        )
    )
    with acting("compliance_officer"):
        registering.retire(register.system("ad-copywriter"), reason="Done with")
    with pytest.raises(Stale, match="was retired"):
        approve_version(waiting)


def test_rejected_and_withdrawn_versions_are_decided_once(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    with acting("compliance_officer"):
        request = open_approval(queries.POLICY, waiting)
        with pytest.raises(Invalid, match="Enter a reason"):
            approval_helpers.actions.reject(request, reason=" ")
        approval_helpers.actions.reject(request, reason="Not before the audit")
        with pytest.raises(Stale, match="was already rejected"):
            approval_helpers.actions.approve(request, seen="")
        row = queries.policy_version(waiting)
        assert (row.state, row.decided_by) == ("rejected", make.person_id("compliance_officer"))
    with acting("admin"), pytest.raises(DomainError):
        draft_actions.withdraw(queries.policy_version(waiting))
    assert (
        effective_policy().tier.key == "strict" and entries("policy.rejected")[-1].facts["digest"]
    )


@pytest.mark.parametrize("by", ["admin", "second_admin"])
def test_whoever_may_draft_withdraws_a_version_and_its_request_is_closed(by, systems, acting):
    make.add_member("second_admin", since=clock.now() - make.MEMBERS_FOR)
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    with acting(by):
        draft_actions.withdraw(queries.policy_version(waiting))
    with acting("admin"):
        assert queries.policy_version(waiting).state == "withdrawn" and queries.draft() is None
        assert approvals.latest(queries.POLICY, [waiting])[waiting].state == (
            "withdrawn" if by == "admin" else "voided"
        )
    assert len(entries("policy.withdrawn")) == 1


def test_a_request_that_nobody_decides_expires_and_the_version_is_a_draft_again(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"))
    with clock.frozen(days_from_now(days=15)):
        approval_jobs.expire()
    with acting("admin"):
        row = queries.draft()
        assert (row.id, row.state, row.note) == (
            waiting,
            "draft",
            "No one decided on the request in time.",
        )
    assert request_version(policy_content("standard")) == waiting


# ---- published versions never change


@pytest.mark.parametrize(
    "change",
    ["content = '{}'", "number = 7", "reason = 'x'", "state = 'draft'", "in_force_from = NULL"],
)
def test_the_database_refuses_to_change_a_version_that_came_into_force(systems, acting, change):
    put_in_force(policy_content("strict"))
    with (
        acting("admin"),
        pytest.raises(DBAPIError, match="never changes"),
        session().begin_nested(),
    ):
        session().execute(text(f"UPDATE policy_versions SET {change}"))


def test_the_database_deletes_no_version(systems, acting):
    put_in_force(policy_content("strict"))
    with (
        acting("admin"),
        pytest.raises(DBAPIError, match="permission denied"),
        session().begin_nested(),
    ):
        session().execute(text("DELETE FROM policy_versions"))


def test_an_erased_name_leaves_the_reason_of_a_version_and_nothing_else(systems, acting):
    put_in_force(policy_content("strict"))
    with acting("admin"):
        session().execute(text("UPDATE policy_versions SET reason = 'Agreed with [erased]'"))
        assert (
            session().scalar(text("SELECT reason FROM policy_versions")) == "Agreed with [erased]"
        )


# ---- rolled back


def test_a_rollback_is_a_new_version_with_the_old_content(systems, acting):
    put_in_force(policy_content("strict", {"memory": "off"}))
    put_in_force(policy_content("regulated"))
    with acting("admin"):
        row = draft_actions.rollback(1, seen="", reason="The new one breaks support")
        assert (row.state, row.back_to, row.loosens) == ("draft", 1, True)
        assert read_content(row.content) == policy_content("strict", {"memory": "off"})


def test_a_rollback_that_only_tightens_is_applied_at_once(systems, acting):
    put_in_force(policy_content("regulated"))
    put_in_force(policy_content("standard"))
    with acting("admin"):
        row = draft_actions.rollback(1, seen="", reason="x")
        actions.tighten_now(
            read_content(row.content),
            base=2,
            reason="x",
            seen=draft_actions.revision(row),
            back_to=1,
        )
        assert (row.number, row.back_to, queries.draft()) == (3, 1, None)


def test_a_rollback_leaves_out_systems_that_were_retired(systems, acting):
    put_in_force(policy_content("strict", on=[(systems["ad-copywriter"], "memory", "off")]))
    put_in_force(policy_content("strict"))
    with acting("compliance_officer"):
        registering.retire(register.system("ad-copywriter"), reason="x")
    with acting("admin"):
        assert read_content(draft_actions.rollback(1, seen="", reason="x").content).systems == {}


# ---- scheduled versions


def test_a_scheduled_tightening_comes_into_force_at_its_time_once(systems, acting):
    at = days_from_now(hours=2)
    with acting("admin"):
        assert (
            actions.schedule(policy_content("strict"), seen="", reason=REASON, apply_at=at).state
            == "scheduled"
        )
    assert jobs.drain(actor_of) == 0
    assert effective_policy().tier.key == "standard"
    with clock.frozen(at + timedelta(seconds=1)):
        assert jobs.drain(actor_of) == 1
        assert effective_policy().tier.key == "strict"
        policy_jobs.apply_due_everywhere()
    [entry] = entries("policy.published")
    assert entry.actor_kind == "job"


def test_what_the_queue_has_missed_the_hourly_round_applies(systems, acting):
    with acting("admin"):
        actions.schedule(
            policy_content("strict"), seen="", reason=REASON, apply_at=days_from_now(hours=2)
        )
    with clock.frozen(days_from_now(hours=3)):
        policy_jobs.apply_due_everywhere()
        assert effective_policy().tier.key == "strict"


def test_an_approved_loosening_may_be_scheduled(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"), apply_at=days_from_now(days=1))
    approve_version(waiting)
    with acting("compliance_officer"):
        assert queries.policy_version(waiting).state == "scheduled"
    with clock.frozen(days_from_now(days=2)):
        policy_jobs.apply_due_everywhere()
        assert effective_policy().tier.key == "standard"


def test_a_scheduled_loosening_waits_for_its_second_person(systems, acting):
    put_in_force(policy_content("strict"))
    with acting("admin"):
        assert (
            actions.schedule(
                policy_content("standard"), seen="", reason=REASON, apply_at=days_from_now(days=1)
            ).state
            == "requested"
        )
    with clock.frozen(days_from_now(days=2)):
        policy_jobs.apply_due_everywhere()
        assert effective_policy().tier.key == "strict"


def test_a_base_that_moved_turns_a_scheduled_version_into_a_draft_with_a_note(systems, acting):
    with acting("admin"):
        actions.schedule(
            policy_content("strict"), seen="", reason=REASON, apply_at=days_from_now(hours=1)
        )
        actions.tighten_now(policy_content("standard", {"memory": "off"}), base=0, reason=REASON)
    with clock.frozen(days_from_now(hours=2)):
        policy_jobs.apply_due_everywhere()
    with acting("admin"):
        row = queries.draft()
        assert (row.state, row.apply_at) == ("draft", None)
        assert "version 1 was published first" in row.note
    assert len(entries("policy.returned_to_draft")) == 1


def test_a_lane_that_changed_since_the_approval_turns_it_back(systems, acting):
    put_in_force(policy_content("strict"))
    waiting = request_version(policy_content("standard"), apply_at=days_from_now(days=1))
    approve_version(waiting)
    with acting("compliance_officer"):
        registering.register(
            key="new-one", stage="live", name="New one", lane="standard", purpose="x", owner_id=None
        )
    with clock.frozen(days_from_now(days=2)):
        policy_jobs.apply_due_everywhere()
    with acting("admin"):
        assert "loosen something that was not approved" in queries.draft().note


@pytest.mark.parametrize("days", [-1, 0, 91])
def test_a_time_is_still_to_come_and_not_far(systems, acting, days):
    with acting("admin"), pytest.raises(Invalid):
        actions.schedule(
            policy_content("strict"), seen="", reason=REASON, apply_at=days_from_now(days=days)
        )


# ---- another tenant


def test_a_neighbours_policy_is_another_one(systems, acting):
    put_in_force(policy_content("regulated"))
    assert effective_policy("globex").tier.key == "standard"
    with acting("admin", "globex"), pytest.raises(NotFound):
        queries.version(1)
    with acting("admin", "globex"), pytest.raises(NotFound):
        draft_actions.draft(
            Content("strict", {}, {systems["claims-triage"]: {"memory": "off"}}), seen=""
        )


# ---- bodies too large for an entry


def test_a_change_of_hundreds_of_lines_is_recorded_short_and_whole_by_its_digest(systems, acting):
    models = [f"model-{n}-{'x' * 60}" for n in range(200)]
    on = [(system_id, "model_access", models) for system_id in systems.values()]
    with acting("compliance_officer"):
        more = [
            registering.register(
                key=f"more-{n}",
                stage="live",
                name="More",
                lane="standard",
                purpose="x",
                owner_id=None,
            )
            for n in range(40)
        ]
        session().flush()
        on += [
            (system.id, key, value)
            for system in more
            for key, value in (("memory", "off"), ("tool_use", "none"))
        ]
    with acting("admin"):
        row = actions.tighten_now(policy_content("standard", on=on), base=0, reason=REASON)
        entry = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "policy.published"))
            .one()
        )
        assert entry.facts["digest"] == row.digest
        assert (
            len(entry.facts["lines"]) == version_log.MAX_LOGGED_LINES + 1
            and entry.facts["lines"][-1][1] == "and 23 more"
        )
