"""Approvals of any kind: only what others than the requester saw is applied."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from governance.foundation.approvals import actions, inbox, kinds, queries, reminder_actions
from governance.foundation.approvals import jobs as approval_jobs
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import member_actions
from governance.foundation.people import queries as people
from governance.foundation.people.models import Person
from governance.kernel import clock, current
from governance.kernel.data import tenant_cache
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError, Forbidden, NotFound
from governance.kernel.work.inbox import parameters
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import (
    approvals_in_inbox,
    decide_approval,
    fingerprint_on_page,
    newest_approval_page,
)
from tests.foundation.approvals.conftest import NAME, set_purpose, unregister_kind
from tests.hypothesis_profiles import examples

SECOND = ("second_admin", "acme")


@pytest.fixture
def second_admin(database, purpose_kind):
    """Add a second admin, who joined before every request."""
    make.add_member(*SECOND, since=clock.now() - make.MEMBERS_FOR)


@pytest.fixture
def as_second_admin(app, second_admin):
    return visitor(app, *SECOND)


def approval_by_id(approval_id, role="admin", slug="acme"):
    with make.acting(role, slug, read_only=True):
        found = session().scalars(select(Approval).where(Approval.id == approval_id)).one()
        session().expunge_all()
        return found


def entries_of_action(action="", slug="acme"):
    with make.acting("admin", slug, read_only=True):
        query = select(AuditEntry.action).where(AuditEntry.action.startswith(action or "approval."))
        return list(session().scalars(query.order_by(AuditEntry.at, AuditEntry.id)))


# ---- deciding


def test_another_person_approves_exactly_what_they_saw(purpose_kind, as_admin, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system)
    path = newest_approval_page()
    page = as_second_admin.get(path).text
    assert "Sanjay Patel asks to change the purpose of router" in page and "Awaiting you" in page
    assert (
        "Sorts requests." in page
        and "Answers requests." in page
        and "You aren’t the requester" in page
    )
    assert path in approvals_in_inbox(as_second_admin)
    decide_approval(as_second_admin, path, verb="approve", reason="Fine")
    assert purpose_kind.applied == [(system, "Answers requests.")]
    assert "request to change the purpose of router was approved" in as_second_admin.get(path).text
    assert path not in approvals_in_inbox(as_second_admin)
    assert entries_of_action() == ["approval.requested", "approval.approved"]


def test_the_requester_follows_their_own_request_and_never_approves_it(
    purpose_kind, as_admin, second_admin
):
    purpose_kind.requested(purpose_kind.system(), approvers=[make.person_id(*SECOND)])
    path = newest_approval_page()
    page = as_admin.get(path).text
    assert (
        "Your request to change the purpose of router awaits Olga Novak" in page
        and "can’t approve your own request" in page
    )
    assert 'value="approve"' not in page and path not in approvals_in_inbox(as_admin)
    seen = approval_by_id(path.rpartition("/")[2])
    with make.acting("admin"):
        seen = kinds.fingerprint_seen(queries.approval(seen.id))
    assert (
        "another person must decide"
        in decide_approval(as_admin, path, 403, verb="approve", seen=seen).text
    )
    decide_approval(as_admin, path, 403, verb="reject", reason="No")
    decide_approval(as_admin, path, verb="withdraw")
    assert purpose_kind.applied == [] and purpose_kind.closed == ["withdrawn"]
    assert "was withdrawn" in as_admin.get(path).text
    decide_approval(as_admin, path, 409, verb="withdraw")


def test_rejecting_takes_a_reason_that_the_requester_reads(purpose_kind, as_admin, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    assert (
        "Enter a reason"
        in decide_approval(as_second_admin, path, 422, verb="reject", reason=" ").text
    )
    decide_approval(as_second_admin, path, verb="reject", reason="Too wide")
    assert "Too wide" in as_admin.get(path).text
    decide_approval(as_second_admin, path, 409, verb="approve")
    assert purpose_kind.applied == [] and purpose_kind.closed == ["rejected"]


def test_who_joined_after_the_request_rejects_but_does_not_approve(purpose_kind, app, as_admin):
    purpose_kind.requested(purpose_kind.system(), approvers=[make.person_id(*SECOND)])
    make.add_member(*SECOND)
    late, path = visitor(app, *SECOND), newest_approval_page()
    assert (
        "You joined after this request was made" in late.get(path).text
        and path not in late.get("").text
    )
    assert "has no one who can approve it" in as_admin.get(path).text
    assert "Invite someone, withdraw this request" in as_admin.get(path).text
    decide_approval(late, path, 403, verb="approve")
    decide_approval(late, path, verb="reject", reason="Not now")


def test_a_person_whom_it_is_about_neither_approves_nor_rejects_it(
    purpose_kind, as_second_admin, as_officer
):
    purpose_kind.requested(purpose_kind.system(), about=make.person_id(*SECOND))
    path = newest_approval_page()
    page = as_second_admin.get(path).text
    assert (
        "It is about you, so another person must decide" in page
        and 'value="reject"' not in page
        and 'value="approve"' not in page
    )
    for verb in ("approve", "reject"):
        assert (
            "It is about you"
            in decide_approval(as_second_admin, path, 403, verb=verb, reason="No").text
        )
    assert purpose_kind.closed == [] and 'value="reject"' in as_officer.get(path).text
    decide_approval(as_officer, path, verb="reject", reason="Not this one")
    assert purpose_kind.closed == ["rejected"]


def test_an_edit_of_the_target_voids_the_request(purpose_kind, as_admin, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    with make.acting("admin"):
        assert actions.void(NAME, system, reason="The purpose was edited")
        set_purpose(system, "Sorts letters.")
        assert not actions.void(NAME, system, reason="Again")
    decide_approval(as_second_admin, path, 409, verb="approve", seen=seen)
    assert (
        "The purpose was edited" in as_second_admin.get(path).text
        and purpose_kind.applied == []
        and purpose_kind.closed == ["voided"]
    )
    assert purpose_kind.requested(system) != path.rpartition("/")[2]


def test_an_edit_that_forgot_to_void_it_is_found_when_somebody_approves(
    purpose_kind, as_second_admin
):
    system = purpose_kind.system()
    approval = purpose_kind.requested(system)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    with make.acting("admin"):
        set_purpose(system, "Sorts letters.")
    assert "so the request is void" in as_second_admin.get(path).text
    page = decide_approval(as_second_admin, path, 409, verb="approve", seen=seen).text
    assert "Sorts letters." in page and "is void" in page
    assert approval_by_id(approval).state == "voided" and purpose_kind.applied == []
    decide_approval(as_second_admin, path, 409, verb="approve")


def test_what_it_depends_on_has_drifted_so_it_is_looked_at_again(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    purpose_kind.context = "another base"
    tenant_cache.forget()  # The tests' kind of approval keeps its facts outside the database.
    page = decide_approval(as_second_admin, path, 409, verb="approve", seen=seen)
    assert "Something has changed since you opened this page" in page.text and seen not in page.text
    decide_approval(as_second_admin, path, verb="approve")
    assert len(purpose_kind.applied) == 1


def test_a_block_is_shown_refused_and_recorded(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    purpose_kind.block = "A hold is in place."
    tenant_cache.forget()  # The tests' kind of approval keeps its facts outside the database.
    assert "A hold is in place." in as_second_admin.get(path).text
    decide_approval(as_second_admin, path, 409, verb="approve", seen=seen)
    assert entries_of_action()[-1] == "approval.blocked" and purpose_kind.applied == []
    decide_approval(as_second_admin, path, verb="reject", reason="A hold is in place")


def test_a_word_is_typed_where_the_kind_wants_it(purpose_kind, as_second_admin):
    purpose_kind.typed = "Router 7"
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    for typed in ("", "router", "Router 77"):
        decide_approval(as_second_admin, path, 422, verb="approve", typed=typed)
    decide_approval(as_second_admin, path, verb="approve", typed=" router  7 ")
    assert len(purpose_kind.applied) == 1


def test_what_cannot_be_applied_is_not_approved(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.wanted[system] = "impossible"
    approval = purpose_kind.requested(system)
    assert (
        "That purpose is impossible."
        in decide_approval(as_second_admin, newest_approval_page(), 422, verb="approve").text
    )
    assert approval_by_id(approval).state == "open" and entries_of_action() == [
        "approval.requested"
    ]


def test_a_double_click_approves_once(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    decide_approval(as_second_admin, path, verb="approve", seen=seen)
    decide_approval(as_second_admin, path, verb="approve", seen=seen)
    assert len(purpose_kind.applied) == 1 and entries_of_action().count("approval.approved") == 1


def test_requested_twice_is_requested_once_and_two_targets_have_two(purpose_kind):
    one, other = purpose_kind.system(), purpose_kind.system(key="sorter")
    assert (
        purpose_kind.requested(one) == purpose_kind.requested(one) != purpose_kind.requested(other)
    )
    assert entries_of_action() == ["approval.requested"] * 2


def test_of_two_kinds_about_one_target_the_second_is_void_once_the_first_is_applied(
    purpose_kind, as_second_admin
):
    """Bind both to the target's state at the time of the request."""
    from tests.foundation.approvals.conftest import PurposeChangeKind, registered_kind

    other = PurposeChangeKind()
    kind = kinds.ApprovalKind(
        name="test_other",
        label="Other",
        permission=other.kind.permission,
        describe=other._describe,
        fingerprint=other._fingerprint,
        apply=other._apply,
    )
    system = purpose_kind.system()
    other.wanted[system] = "Answers letters."
    with registered_kind(kind):
        purpose_kind.requested(system)
        first = newest_approval_page()
        with make.acting("admin"):
            actions.request("test_other", system, summary="change it otherwise", reason="Or so")
        second = newest_approval_page()
        seen = fingerprint_on_page(as_second_admin, second)
        decide_approval(as_second_admin, first, verb="approve")
        decide_approval(as_second_admin, second, 409, verb="approve", seen=seen)
        assert purpose_kind.applied and other.applied == []


# ---- two approvals


def test_high_risk_takes_two_other_people(purpose_kind, as_admin, as_second_admin, as_officer, app):
    purpose_kind.requested(purpose_kind.system(), needed=2)
    path = newest_approval_page()
    assert "0 of 2 people have approved it so far" in as_second_admin.get(path).text
    decide_approval(as_second_admin, path, verb="approve")
    assert (
        purpose_kind.applied == [] and "You approved this already" in as_second_admin.get(path).text
    )
    assert path not in approvals_in_inbox(as_second_admin)
    decide_approval(as_second_admin, path, 403, verb="approve", seen="something else")
    decide_approval(as_officer, path, verb="approve")
    assert len(purpose_kind.applied) == 1 and entries_of_action() == [
        "approval.requested",
        "approval.partially_approved",
        "approval.approved",
    ]


def test_the_second_click_of_the_first_of_two_counts_once(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system(), needed=2)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    for _ in range(2):
        decide_approval(as_second_admin, path, verb="approve", seen=seen)
    assert purpose_kind.applied == [] and entries_of_action() == [
        "approval.requested",
        "approval.partially_approved",
    ]


def test_who_approved_before_a_drift_is_asked_again(purpose_kind, second_admin):
    approval = purpose_kind.requested(purpose_kind.system(), needed=2)
    with make.acting("second_admin"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    purpose_kind.context = "another base"
    with make.acting("compliance_officer"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    assert purpose_kind.applied == []
    with make.acting("second_admin"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    assert len(purpose_kind.applied) == 1


@pytest.mark.parametrize(
    "how", ["removed", "demoted", "removed and back", "another role that decides"]
)
def test_the_approval_of_somebody_who_left_or_changed_role_no_longer_counts(
    how, purpose_kind, as_admin, as_second_admin, as_officer, as_reviewer
):
    """Ignore an approval by a former officer, even one who became an admin and may decide again."""
    purpose_kind.requested(purpose_kind.system(), needed=2)
    path = newest_approval_page()
    decide_approval(as_officer, path, verb="approve")
    assert "1 of 2 approvals" in as_admin.get(path).text
    with make.acting("admin"):
        officer = people.membership_of(make.person_id("compliance_officer"))
        if how.startswith("removed"):
            member_actions.remove_member(officer)
        else:
            member_actions.change_role(officer, "viewer" if how == "demoted" else "admin")
        if how.endswith("back"):
            member_actions.add_member(officer.person, "compliance_officer", via="an invitation")
    page = as_admin.get(path).text
    assert "0 of 2 approvals" in page and "no longer counts" in page
    decide_approval(as_second_admin, path, verb="approve")
    assert (
        purpose_kind.applied == []
        and "1 of 2 people have approved it so far" in as_reviewer.get(path).text
    )
    decide_approval(as_reviewer, path, verb="approve")
    assert len(purpose_kind.applied) == 1 and "2 of 2 approvals" in as_admin.get(path).text


def test_who_has_their_role_back_is_told_that_their_approval_no_longer_counts(
    purpose_kind, as_officer
):
    purpose_kind.requested(purpose_kind.system(), needed=2)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_officer, path)
    decide_approval(as_officer, path, verb="approve", seen=seen)
    for role in ("viewer", "compliance_officer"):
        with make.acting("admin"):
            member_actions.change_role(
                people.membership_of(make.person_id("compliance_officer")), role
            )
    assert "your approval no longer counts" in as_officer.get(path).text
    decide_approval(as_officer, path, 403, verb="approve", seen=seen)
    assert path not in approvals_in_inbox(as_officer) and purpose_kind.applied == []


# ---- sign-in, expiry, reminders


def test_a_sign_in_that_is_too_old_is_renewed_and_the_decision_is_kept(
    app, purpose_kind, as_admin, second_admin
):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    stale = Visitor(app, make.cookie("second_admin", signed_in_ago=timedelta(minutes=9)))
    assert "You’ll sign in again first" in stale.get(path).text
    asks = decide_approval(stale, path, 401, verb="approve")
    assert (
        "Approve request" in asks.text
        and "keeps your form" in asks.text
        and purpose_kind.applied == []
    )


def test_an_expired_request_is_closed_and_can_be_made_again(
    purpose_kind, as_admin, as_second_admin
):
    approval = purpose_kind.requested(purpose_kind.system())
    path, seen = newest_approval_page(), ""
    with make.acting("admin"):
        session().execute(update(Approval).values(expires_at=clock.now() - timedelta(seconds=1)))
    assert "Expired" in as_admin.get(path).text and path not in approvals_in_inbox(as_second_admin)
    assert (
        "has expired" in decide_approval(as_second_admin, path, 409, verb="approve", seen=seen).text
    )
    approval_jobs.expire()
    assert (
        approval_by_id(approval).state == "expired"
        and purpose_kind.closed == ["expired"]
        and entries_of_action()[-1] == "approval.expired"
    )
    assert purpose_kind.requested(approval_by_id(approval).target_id) != approval


def test_an_expired_one_that_no_job_has_closed_gives_way_to_a_new_one(purpose_kind):
    system = purpose_kind.system()
    first = purpose_kind.requested(system, expires_at=clock.now() - timedelta(seconds=1))
    assert purpose_kind.requested(system) != first and approval_by_id(first).state == "expired"


def test_the_requester_reminds_each_approver_once_a_day(purpose_kind, as_admin, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    as_admin.post(f"{path}/reminders", person=str(make.person_id(*SECOND)))
    with make.acting("admin"):
        mails = session().scalars(select(WorkItem.params).where(WorkItem.kind == "mail")).all()
    (letter,) = [each for each in mails if each["to"] != "admin@acme.example"]
    assert letter["to"] == "olga.novak@acme.example" and f"http://localhost{path}" in letter["body"]
    assert "reminded today" in as_admin.get(path).text
    assert (
        "You reminded Olga Novak today"
        in as_admin.post(f"{path}/reminders", then=422, person=str(make.person_id(*SECOND))).text
    )
    as_admin.post(f"{path}/reminders", then=422, person=str(make.person_id("viewer")))
    as_admin.post(f"{path}/reminders", then=422, person="x")
    as_second_admin.post(f"{path}/reminders", then=403, person=str(make.person_id(*SECOND)))


def test_requested_again_it_sends_no_second_reminder(purpose_kind, as_admin, as_second_admin):
    system, whom = purpose_kind.system(), str(make.person_id(*SECOND))
    purpose_kind.requested(system)
    as_admin.post(f"{newest_approval_page()}/reminders", person=whom)
    decide_approval(as_admin, newest_approval_page(), verb="withdraw")
    purpose_kind.requested(system)
    assert (
        "You reminded Olga Novak today"
        in as_admin.post(f"{newest_approval_page()}/reminders", then=422, person=whom).text
    )


def test_one_requester_sends_one_person_few_reminders_a_day(
    purpose_kind, as_admin, as_second_admin, monkeypatch
):
    monkeypatch.setattr(reminder_actions, "MAX_REMINDERS_A_DAY", 2)
    for number, then in enumerate((303, 303, 422)):
        purpose_kind.requested(purpose_kind.system(key=f"router-{number}"))
        reply = as_admin.post(
            f"{newest_approval_page()}/reminders", then=then, person=str(make.person_id(*SECOND))
        )
    assert "You reminded Olga Novak 2 times today" in reply.text


# ---- removed kinds and targets


def test_an_approval_of_a_removed_kind_is_shown_and_can_only_be_closed(
    purpose_kind, as_admin, as_second_admin
):
    one, other = purpose_kind.requested(purpose_kind.system()), None
    path = newest_approval_page()
    other = purpose_kind.requested(purpose_kind.system(key="sorter"))
    unregister_kind(NAME)
    page = as_second_admin.get(path).text
    assert (
        "Meridian no longer has approvals of this kind" in page
        and "Can only be closed" in page
        and 'value="approve"' not in page
    )
    assert path in approvals_in_inbox(as_second_admin), (
        "a person who decided it once is asked to close it"
    )
    assert "no longer has approvals" in as_admin.get(path).text
    decide_approval(as_second_admin, path, 422, verb="approve")
    decide_approval(as_second_admin, path, verb="reject", reason="Its feature is gone")
    decide_approval(as_admin, newest_approval_page(), verb="withdraw")
    assert (
        approval_by_id(one).state,
        approval_by_id(other).state,
        purpose_kind.applied,
        purpose_kind.closed,
    ) == (
        "rejected",
        "withdrawn",
        [],
        [],
    )
    assert "was rejected" in as_second_admin.get(path).text
    approval_jobs.expire()


def test_an_approval_whose_target_is_gone_is_shown_and_void(
    purpose_kind, as_admin, as_second_admin
):
    approval = purpose_kind.requested(purpose_kind.system())
    with make.acting("admin"):
        session().execute(update(Approval).values(target_id=uuid4()))
    path = newest_approval_page()
    assert (
        "change the purpose of router" in as_admin.get(path).text
        and 'value="approve"' not in as_second_admin.get(path).text
    )
    decide_approval(as_second_admin, path, 409, verb="approve")
    assert approval_by_id(approval).state == "voided" and purpose_kind.applied == []


def test_nothing_can_be_requested_of_what_is_not_there(purpose_kind):
    with make.acting("admin"), pytest.raises(NotFound):
        actions.request(NAME, uuid4(), summary="change nothing", reason="x")


# ---- others


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor"])
def test_who_takes_no_part_in_approvals_is_told_so(who, purpose_kind, request):
    purpose_kind.requested(purpose_kind.system())
    request.getfixturevalue(who).get(newest_approval_page(), then=403)


def test_another_tenants_approval_is_not_found(purpose_kind, as_neighbour, as_stranger, as_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    there = path.replace("/t/acme/", "/t/globex/")
    for page in (there, f"/t/globex/approvals/{uuid4()}"):
        as_neighbour.get(page, then=404)
        decide_approval(as_neighbour, page, 404, verb="approve")
        as_neighbour.post(f"{page}/reminders", then=404, person=str(uuid4()))
    as_stranger.get(path, then=404)


def test_nonsense_is_refused(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    decide_approval(as_second_admin, newest_approval_page(), 422, verb="agree")
    with make.acting("admin"), pytest.raises(DomainError, match="Enter a reason"):
        actions.request(NAME, purpose_kind.system(key="other"), summary="x", reason=" ")


def test_a_kind_is_registered_once(purpose_kind):
    kinds.register(purpose_kind.kind)
    with pytest.raises(ValueError, match="registered twice"):
        kinds.register(
            kinds.ApprovalKind(
                name=NAME,
                label="x",
                permission=purpose_kind.kind.permission,
                describe=purpose_kind._describe,
                fingerprint=purpose_kind._fingerprint,
                apply=purpose_kind._apply,
            )
        )


# ---- invariants


@pytest.mark.parametrize("whose", ["own", "same address", "about", "named", "another"])
@pytest.mark.parametrize(
    "late", [-3000, -1, 0, 1]
)  # Minutes after the request at which the second person got their role; they are new for a day.
def test_the_inbox_shows_exactly_what_one_may_approve(purpose_kind, acting, whose, late):
    """Apply the same rule to rows and to one approval."""
    make.add_member(*SECOND, since=clock.now() + timedelta(minutes=late))
    me, viewer = make.person_id(*SECOND), make.person_id("viewer")
    if whose == "same address":
        with current.acting_as(make.system_actor("acme")), transaction(person_id=viewer):
            session().get(Person, viewer).email = "Olga.NOVAK@acme.example"
    options = {
        "own": {"requesters": [make.person_id("admin"), me]},
        "same address": {"requesters": [viewer]},
        "about": {"about": me},
        "named": {"approvers": [viewer]},
        "another": {"approvers": [me]},
    }[whose]
    approval = purpose_kind.requested(purpose_kind.system(), **options)
    with make.acting("second_admin"):
        listed = approval in {
            each.id for each in session().execute(inbox.APPROVAL.select(), parameters())
        }
        why = queries.why_not(queries.approval(approval))
        assert (
            listed
            is (why is None)
            is (inbox.count([NAME]) == 1)
            is (whose == "another" and late == -3000)
        )
    with make.acting("admin"):
        offered = {each.person_id for each in queries.approvers(queries.approval(approval))}
        assert (me in offered) is listed


STEPS = st.lists(
    st.sampled_from(
        [
            "look admin",
            "look second_admin",
            "look compliance_officer",
            "look reviewer",
            "approve admin",
            "approve second_admin",
            "approve compliance_officer",
            "approve reviewer",
            "edit",
            "void and edit",
            "drift",
            "request",
            "reject second_admin",
            "withdraw admin",
        ]
    ),
    max_size=14,
)


@example(
    steps=[
        "look second_admin",
        "approve second_admin",
        "request",
        "look compliance_officer",
        "approve compliance_officer",
    ],
    needed=2,
)  # Requested again while open: the same request, with the approvals given.
@given(steps=STEPS, needed=st.sampled_from([1, 2]))
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_do_only_what_enough_others_saw_is_applied(
    purpose_kind, second_admin, steps, needed
):
    """Let four people view, approve, edit and reject in any order.

    The model is who saw what when they approved.
    """
    system = purpose_kind.system(key=f"s{uuid4().hex[:8]}")
    purpose_kind.requested(system, needed=needed)
    purpose_kind.applied.clear()
    seen: dict[str, tuple[str, str]] = {}
    agreed: dict[str, str] = {}
    for number, step in enumerate(steps):
        verb, _, role = step.partition(" ")
        with make.acting(
            role if verb not in {"edit", "void", "drift", "request"} else "admin"
        ) as who:
            approval = queries.latest(NAME, [system])[system]
            before = len(purpose_kind.applied)
            try:
                with session().begin_nested():
                    _take(step, verb, role, approval, purpose_kind, system, number, seen, needed)
            except DomainError:
                assert len(purpose_kind.applied) == before
                continue
            if (
                verb == "approve"
                and approval.state in {"open", "approved"}
                and who.person_id != make.person_id("admin")
            ):
                agreed[role] = seen[role][1]
            if len(purpose_kind.applied) > before:
                content = seen[role][1]
                assert [
                    each for each, what in agreed.items() if what == content and each != "admin"
                ].__len__() >= needed
                assert (
                    content == seen[role][1]
                    and purpose_kind.applied[-1][1] == purpose_kind.wanted[system]
                )
            is_another = queries.latest(NAME, [system])[system].id != approval.id
            if verb == "void" or is_another:  # An open request is the same one.
                agreed.clear()
    assert len(purpose_kind.applied) <= 1 + steps.count("request")


def _take(step, verb, role, approval, purposes, system, number, seen, needed):
    if verb == "look":
        shown = kinds.fingerprint_seen(approval)
        seen[role] = (shown, shown)
    elif verb == "approve":
        actions.approve(approval, seen=seen.setdefault(role, ("never opened", "never opened"))[0])
    elif step == "edit":
        set_purpose(system, f"Edit {number}")
    elif verb == "void":
        actions.void(NAME, system, reason="Edited")
        set_purpose(system, f"Edit {number}")
    elif verb == "drift":
        purposes.context = f"drift {number}"
    elif verb == "request":
        actions.request(NAME, system, summary="change it", reason="Again", needed=needed)
    elif verb == "reject":
        actions.reject(approval, reason="No")
    else:
        actions.withdraw(approval)


def test_nobody_approves_below_the_pages_either(purpose_kind, second_admin):
    approval = purpose_kind.requested(purpose_kind.system())
    with make.acting("admin"), pytest.raises(Forbidden, match="another person must decide"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    with make.acting("contributor"), pytest.raises(Forbidden, match="Your role"):
        actions.approve(session().scalars(select(Approval)).one(), seen="")
