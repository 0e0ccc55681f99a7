"""Approvals, whatever their kind: what is applied is what was seen, by other people than the requester."""

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from governance.foundation.approvals import actions, inbox, kinds, queries
from governance.foundation.approvals import jobs as approval_jobs
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import actions as members
from governance.foundation.people import queries as people
from governance.foundation.people.models import Person
from governance.kernel import clock, current
from governance.kernel.db import session, transaction
from governance.kernel.errors import DomainError, Forbidden, NotFound
from governance.kernel.inbox import parameters
from governance.kernel.jobs import WorkItem
from tests import make
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.approvals.conftest import NAME, forget, write
from tests.foundation.approvals.deciding import decide, in_inbox, page_of, seen_on

SECOND = ("second_admin", "acme")


@pytest.fixture
def olga(database, purposes):
    """A second admin, who was there before every request."""
    make.join(*SECOND, since=clock.now() - make.MEMBERS_FOR)


@pytest.fixture
def as_olga(app, olga):
    return visitor(app, *SECOND)


def row(approval_id, role="admin", slug="acme"):
    with make.acting(role, slug, read_only=True):
        found = session().scalars(select(Approval).where(Approval.id == approval_id)).one()
        session().expunge_all()
        return found


def deeds(action="", slug="acme"):
    with make.acting("admin", slug, read_only=True):
        query = select(AuditEntry.action).where(AuditEntry.action.startswith(action or "approval."))
        return list(session().scalars(query.order_by(AuditEntry.at, AuditEntry.id)))


# ---- deciding


def test_another_person_approves_exactly_what_they_saw(purposes, as_admin, as_olga):
    system = purposes.system()
    purposes.requested(system)
    path = page_of()
    page = as_olga.get(path).text
    assert "Sanjay Patel asks to change the purpose of router" in page and "Awaiting you" in page
    assert "Sorts requests." in page and "Answers requests." in page and "You aren’t the requester" in page
    assert path in in_inbox(as_olga)
    decide(as_olga, path, verb="approve", reason="Fine")
    assert purposes.applied == [(system, "Answers requests.")]
    assert "request to change the purpose of router was approved" in as_olga.get(path).text
    assert path not in in_inbox(as_olga)
    assert deeds() == ["approval.requested", "approval.approved"]


def test_the_requester_follows_their_own_request_and_never_approves_it(purposes, as_admin, olga):
    purposes.requested(purposes.system(), approvers=[make.person_id(*SECOND)])
    path = page_of()
    page = as_admin.get(path).text
    assert "Your request to change the purpose of router awaits Olga Novak" in page and "can’t approve your own request" in page
    assert 'value="approve"' not in page and path not in in_inbox(as_admin)
    seen = row(path.rpartition("/")[2])
    with make.acting("admin"):
        seen = kinds.fingerprint_seen(queries.approval(seen.id))
    assert "another person decides" in decide(as_admin, path, 403, verb="approve", seen=seen).text
    decide(as_admin, path, 403, verb="reject", reason="No")
    decide(as_admin, path, verb="withdraw")
    assert purposes.applied == [] and purposes.closed == ["withdrawn"]
    assert "was withdrawn" in as_admin.get(path).text
    decide(as_admin, path, 409, verb="withdraw")


def test_rejecting_takes_a_reason_that_the_requester_reads(purposes, as_admin, as_olga):
    purposes.requested(purposes.system())
    path = page_of()
    assert "Give a reason" in decide(as_olga, path, 422, verb="reject", reason=" ").text
    decide(as_olga, path, verb="reject", reason="Too wide")
    assert "Too wide" in as_admin.get(path).text
    decide(as_olga, path, 409, verb="approve")
    assert purposes.applied == [] and purposes.closed == ["rejected"]


def test_who_joined_after_the_request_rejects_but_does_not_approve(purposes, app, as_admin):
    purposes.requested(purposes.system(), approvers=[make.person_id(*SECOND)])
    make.join(*SECOND)
    late, path = visitor(app, *SECOND), page_of()
    assert "You joined after this request was made" in late.get(path).text and path not in late.get("").text
    assert "has no one who can approve it" in as_admin.get(path).text
    assert "Invite someone, withdraw this request" in as_admin.get(path).text
    decide(late, path, 403, verb="approve")
    decide(late, path, verb="reject", reason="Not now")


def test_a_person_whom_it_is_about_neither_approves_nor_rejects_it(purposes, as_olga, as_officer):
    purposes.requested(purposes.system(), about=make.person_id(*SECOND))
    path = page_of()
    page = as_olga.get(path).text
    assert "It is about you, so another person decides" in page and 'value="reject"' not in page and 'value="approve"' not in page
    for verb in ("approve", "reject"):
        assert "It is about you" in decide(as_olga, path, 403, verb=verb, reason="No").text
    assert purposes.closed == [] and 'value="reject"' in as_officer.get(path).text
    decide(as_officer, path, verb="reject", reason="Not this one")
    assert purposes.closed == ["rejected"]


def test_an_edit_of_the_target_voids_the_request(purposes, as_admin, as_olga):
    system = purposes.system()
    purposes.requested(system)
    path = page_of()
    seen = seen_on(as_olga, path)
    with make.acting("admin"):
        assert actions.void(NAME, system, because="The purpose was edited")
        write(system, "Sorts letters.")
        assert not actions.void(NAME, system, because="Again")
    decide(as_olga, path, 409, verb="approve", seen=seen)
    assert "The purpose was edited" in as_olga.get(path).text and purposes.applied == [] and purposes.closed == ["voided"]
    assert purposes.requested(system) != path.rpartition("/")[2]


def test_an_edit_that_forgot_to_void_it_is_found_when_somebody_approves(purposes, as_olga):
    system = purposes.system()
    approval = purposes.requested(system)
    path = page_of()
    seen = seen_on(as_olga, path)
    with make.acting("admin"):
        write(system, "Sorts letters.")
    assert "so the request is void" in as_olga.get(path).text
    page = decide(as_olga, path, 409, verb="approve", seen=seen).text
    assert "Sorts letters." in page and "is void" in page
    assert row(approval).state == "voided" and purposes.applied == []
    decide(as_olga, path, 409, verb="approve")


def test_what_it_depends_on_has_drifted_so_it_is_looked_at_again(purposes, as_olga):
    purposes.requested(purposes.system())
    path = page_of()
    seen = seen_on(as_olga, path)
    purposes.context = "another base"
    page = decide(as_olga, path, 409, verb="approve", seen=seen)
    assert "Something has changed since you opened this page" in page.text and seen not in page.text
    decide(as_olga, path, verb="approve")
    assert len(purposes.applied) == 1


def test_a_block_is_shown_refused_and_recorded(purposes, as_olga):
    purposes.requested(purposes.system())
    path = page_of()
    seen = seen_on(as_olga, path)
    purposes.block = "A hold is in place."
    assert "A hold is in place." in as_olga.get(path).text
    decide(as_olga, path, 409, verb="approve", seen=seen)
    assert deeds()[-1] == "approval.blocked" and purposes.applied == []
    decide(as_olga, path, verb="reject", reason="A hold is in place")


def test_a_word_is_typed_where_the_kind_wants_it(purposes, as_olga):
    purposes.typed = "Router 7"
    purposes.requested(purposes.system())
    path = page_of()
    for typed in ("", "router", "Router 77"):
        decide(as_olga, path, 422, verb="approve", typed=typed)
    decide(as_olga, path, verb="approve", typed=" router  7 ")
    assert len(purposes.applied) == 1


def test_what_cannot_be_applied_is_not_approved(purposes, as_olga):
    system = purposes.system()
    purposes.wanted[system] = "impossible"
    approval = purposes.requested(system)
    assert "That purpose is impossible." in decide(as_olga, page_of(), 422, verb="approve").text
    assert row(approval).state == "open" and deeds() == ["approval.requested"]


def test_a_double_click_approves_once(purposes, as_olga):
    purposes.requested(purposes.system())
    path = page_of()
    seen = seen_on(as_olga, path)
    decide(as_olga, path, verb="approve", seen=seen)
    decide(as_olga, path, verb="approve", seen=seen)
    assert len(purposes.applied) == 1 and deeds().count("approval.approved") == 1


def test_requested_twice_is_requested_once_and_two_targets_have_two(purposes):
    one, other = purposes.system(), purposes.system(key="sorter")
    assert purposes.requested(one) == purposes.requested(one) != purposes.requested(other)
    assert deeds() == ["approval.requested"] * 2


def test_of_two_kinds_about_one_target_the_second_is_void_once_the_first_is_applied(purposes, as_olga):
    """Both bind to the target as it was."""
    from tests.foundation.approvals.conftest import Purposes, known

    other = Purposes()
    kind = kinds.ApprovalKind(name="test_other", label="Other", permission=other.kind.permission, describe=other._describe,
                              fingerprint=other._fingerprint, apply=other._apply)  # fmt: skip
    system = purposes.system()
    other.wanted[system] = "Answers letters."
    with known(kind):
        purposes.requested(system)
        first = page_of()
        with make.acting("admin"):
            actions.request("test_other", system, summary="change it otherwise", reason="Or so")
        second = page_of()
        seen = seen_on(as_olga, second)
        decide(as_olga, first, verb="approve")
        decide(as_olga, second, 409, verb="approve", seen=seen)
        assert purposes.applied and other.applied == []


# ---- two approvals


def test_high_risk_takes_two_other_people(purposes, as_admin, as_olga, as_officer, app):
    purposes.requested(purposes.system(), needed=2)
    path = page_of()
    assert "2 people have to approve; 0 did" in as_olga.get(path).text
    decide(as_olga, path, verb="approve")
    assert purposes.applied == [] and "You approved this already" in as_olga.get(path).text
    assert path not in in_inbox(as_olga)
    decide(as_olga, path, 403, verb="approve", seen="something else")
    decide(as_officer, path, verb="approve")
    assert len(purposes.applied) == 1 and deeds() == ["approval.requested", "approval.given", "approval.approved"]


def test_the_second_click_of_the_first_of_two_counts_once(purposes, as_olga):
    purposes.requested(purposes.system(), needed=2)
    path = page_of()
    seen = seen_on(as_olga, path)
    for _ in range(2):
        decide(as_olga, path, verb="approve", seen=seen)
    assert purposes.applied == [] and deeds() == ["approval.requested", "approval.given"]


def test_who_approved_before_a_drift_is_asked_again(purposes, olga):
    approval = purposes.requested(purposes.system(), needed=2)
    with make.acting("second_admin"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    purposes.context = "another base"
    with make.acting("compliance_officer"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    assert purposes.applied == []
    with make.acting("second_admin"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    assert len(purposes.applied) == 1


@pytest.mark.parametrize("how", ["removed", "demoted", "removed and back", "another role that decides"])
def test_the_approval_of_somebody_who_left_or_changed_role_no_longer_counts(
    how, purposes, as_admin, as_olga, as_officer, as_reviewer
):
    """An officer who became an admin may decide, too: but their approval was an officer's, who is no longer there."""
    purposes.requested(purposes.system(), needed=2)
    path = page_of()
    decide(as_officer, path, verb="approve")
    assert "1 of 2 approvals" in as_admin.get(path).text
    with make.acting("admin"):
        officer = people.membership_of(make.person_id("compliance_officer"))
        if how.startswith("removed"):
            members.remove(officer)
        else:
            members.change_role(officer, "viewer" if how == "demoted" else "admin")
        if how.endswith("back"):
            members.join(officer.person, "compliance_officer", via="an invitation")
    page = as_admin.get(path).text
    assert "0 of 2 approvals" in page and "no longer counts" in page
    decide(as_olga, path, verb="approve")
    assert purposes.applied == [] and "2 people have to approve; 1 did" in as_reviewer.get(path).text
    decide(as_reviewer, path, verb="approve")
    assert len(purposes.applied) == 1 and "2 of 2 approvals" in as_admin.get(path).text


def test_who_has_their_role_back_is_told_that_their_approval_no_longer_counts(purposes, as_officer):
    purposes.requested(purposes.system(), needed=2)
    path = page_of()
    seen = seen_on(as_officer, path)
    decide(as_officer, path, verb="approve", seen=seen)
    for role in ("viewer", "compliance_officer"):
        with make.acting("admin"):
            members.change_role(people.membership_of(make.person_id("compliance_officer")), role)
    assert "your approval no longer counts" in as_officer.get(path).text
    decide(as_officer, path, 403, verb="approve", seen=seen)
    assert path not in in_inbox(as_officer) and purposes.applied == []


# ---- sign-in, expiry, reminders


def test_a_sign_in_that_is_too_old_is_renewed_and_the_decision_is_kept(app, purposes, as_admin, olga):
    purposes.requested(purposes.system())
    path = page_of()
    stale = Visitor(app, make.cookie("second_admin", signed_in_ago=timedelta(minutes=9)))
    assert "You’ll sign in again first" in stale.get(path).text
    asks = decide(stale, path, 401, verb="approve")
    assert "Approve request" in asks.text and "Your form is kept" in asks.text and purposes.applied == []


def test_an_expired_request_is_closed_and_can_be_made_again(purposes, as_admin, as_olga):
    approval = purposes.requested(purposes.system())
    path, seen = page_of(), ""
    with make.acting("admin"):
        session().execute(update(Approval).values(expires_at=clock.now() - timedelta(seconds=1)))
    assert "Expired" in as_admin.get(path).text and path not in in_inbox(as_olga)
    assert "has expired" in decide(as_olga, path, 409, verb="approve", seen=seen).text
    approval_jobs.expire()
    assert row(approval).state == "expired" and purposes.closed == ["expired"] and deeds()[-1] == "approval.expired"
    assert purposes.requested(row(approval).target_id) != approval


def test_an_expired_one_that_no_job_has_closed_gives_way_to_a_new_one(purposes):
    system = purposes.system()
    first = purposes.requested(system, expires_at=clock.now() - timedelta(seconds=1))
    assert purposes.requested(system) != first and row(first).state == "expired"


def test_the_requester_reminds_each_approver_once_a_day(purposes, as_admin, as_olga):
    purposes.requested(purposes.system())
    path = page_of()
    as_admin.post(f"{path}/reminders", person=str(make.person_id(*SECOND)))
    with make.acting("admin"):
        letter = session().scalars(select(WorkItem).where(WorkItem.kind == "mail")).one().params
    assert letter["to"] == "olga.novak@acme.example" and f"http://localhost{path}" in letter["body"]
    assert "reminded today" in as_admin.get(path).text
    assert (
        "You reminded Olga Novak today" in as_admin.post(f"{path}/reminders", then=422, person=str(make.person_id(*SECOND))).text
    )
    as_admin.post(f"{path}/reminders", then=422, person=str(make.person_id("viewer")))
    as_admin.post(f"{path}/reminders", then=422, person="x")
    as_olga.post(f"{path}/reminders", then=403, person=str(make.person_id(*SECOND)))


# ---- kinds and targets that are gone


def test_an_approval_of_a_removed_kind_is_shown_and_can_only_be_closed(purposes, as_admin, as_olga):
    one, other = purposes.requested(purposes.system()), None
    path = page_of()
    other = purposes.requested(purposes.system(key="sorter"))
    forget(NAME)
    page = as_olga.get(path).text
    assert (
        "Meridian no longer has approvals of this kind" in page and "Can only be closed" in page and 'value="approve"' not in page
    )
    assert path in in_inbox(as_olga), "whoever decided it once is asked to close it"
    assert "no longer has approvals" in as_admin.get(path).text
    decide(as_olga, path, 422, verb="approve")
    decide(as_olga, path, verb="reject", reason="Its feature is gone")
    decide(as_admin, page_of(), verb="withdraw")
    assert (row(one).state, row(other).state, purposes.applied, purposes.closed) == ("rejected", "withdrawn", [], [])
    assert "was rejected" in as_olga.get(path).text
    approval_jobs.expire()


def test_an_approval_whose_target_is_gone_is_shown_and_void(purposes, as_admin, as_olga):
    approval = purposes.requested(purposes.system())
    with make.acting("admin"):
        session().execute(update(Approval).values(target_id=uuid4()))
    path = page_of()
    assert "change the purpose of router" in as_admin.get(path).text and 'value="approve"' not in as_olga.get(path).text
    decide(as_olga, path, 409, verb="approve")
    assert row(approval).state == "voided" and purposes.applied == []


def test_nothing_can_be_requested_of_what_is_not_there(purposes):
    with make.acting("admin"), pytest.raises(NotFound):
        actions.request(NAME, uuid4(), summary="change nothing", reason="x")


# ---- others


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor"])
def test_who_takes_no_part_in_approvals_is_told_so(who, purposes, request):
    purposes.requested(purposes.system())
    request.getfixturevalue(who).get(page_of(), then=403)


def test_another_tenants_approval_is_not_found(purposes, as_neighbour, as_stranger, as_admin):
    purposes.requested(purposes.system())
    path = page_of()
    there = path.replace("/t/acme/", "/t/globex/")
    for page in (there, f"/t/globex/approvals/{uuid4()}"):
        as_neighbour.get(page, then=404)
        decide(as_neighbour, page, 404, verb="approve")
        as_neighbour.post(f"{page}/reminders", then=404, person=str(uuid4()))
    as_stranger.get(path, then=404)


def test_nonsense_is_refused(purposes, as_olga):
    purposes.requested(purposes.system())
    decide(as_olga, page_of(), 422, verb="agree")
    with make.acting("admin"), pytest.raises(DomainError, match="Give a reason"):
        actions.request(NAME, purposes.system(key="other"), summary="x", reason=" ")


def test_a_kind_is_registered_once(purposes):
    kinds.register(purposes.kind)
    with pytest.raises(ValueError, match="registered twice"):
        kinds.register(kinds.ApprovalKind(name=NAME, label="x", permission=purposes.kind.permission, describe=purposes._describe,
                                          fingerprint=purposes._fingerprint, apply=purposes._apply))  # fmt: skip


def test_a_page_costs_few_statements(purposes, as_olga, statements):
    purposes.requested(purposes.system())
    path = page_of()
    as_olga.get(path)
    with statements() as seen:
        as_olga.get(path)
    assert len(seen) <= 19, "\n".join(seen)


# ---- laws


@pytest.mark.parametrize("whose", ["own", "same address", "about", "named", "another"])
@pytest.mark.parametrize("late", [False, True])
def test_the_inbox_shows_exactly_what_one_may_approve(purposes, acting, whose, late):
    """The condition on rows and the check of one approval are the same rule."""
    make.join(*SECOND, since=clock.now() + (timedelta(minutes=1) if late else -make.MEMBERS_FOR))
    me, viewer = make.person_id(*SECOND), make.person_id("viewer")
    if whose == "same address":
        with current.acting_as(make.founder("acme")), transaction(person_id=viewer):
            session().get(Person, viewer).email = "Olga.NOVAK@acme.example"
    options = {"own": {"requesters": [make.person_id("admin"), me]}, "same address": {"requesters": [viewer]}, "about": {"about": me},
               "named": {"approvers": [viewer]}, "another": {"approvers": [me]}}[whose]  # fmt: skip
    approval = purposes.requested(purposes.system(), **options)
    with make.acting("second_admin"):
        listed = approval in {each.id for each in session().execute(inbox.APPROVAL.select(), parameters())}
        why = queries.why_not(queries.approval(approval))
        assert listed is (why is None) is (inbox.count([NAME]) == 1) is (whose == "another" and not late)
    with make.acting("admin"):
        offered = {each.person_id for each in queries.approvers(queries.approval(approval))}
        assert (me in offered) is listed


STEPS = st.lists(st.sampled_from(
    ["look admin", "look second_admin", "look compliance_officer", "look reviewer", "approve admin", "approve second_admin",
     "approve compliance_officer", "approve reviewer", "edit", "void and edit", "drift", "request", "reject second_admin", "withdraw admin"]
), max_size=14)  # fmt: skip


@given(steps=STEPS, needed=st.sampled_from([1, 2]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_people_do_only_what_enough_others_saw_is_applied(purposes, olga, steps, needed):
    """Four people look, approve, edit and reject in any order; the model is who saw what when they approved."""
    system = purposes.system(key=f"s{uuid4().hex[:8]}")
    purposes.requested(system, needed=needed)
    purposes.applied.clear()
    seen: dict[str, tuple[str, str]] = {}
    agreed: dict[str, str] = {}
    for number, step in enumerate(steps):
        verb, _, role = step.partition(" ")
        with make.acting(role if verb not in {"edit", "void", "drift", "request"} else "admin") as who:
            approval = queries.latest(NAME, [system])[system]
            before = len(purposes.applied)
            try:
                with session().begin_nested():
                    _take(step, verb, role, approval, purposes, system, number, seen, needed)
            except DomainError:
                assert len(purposes.applied) == before
                continue
            if verb == "approve" and approval.state in {"open", "approved"} and who.person_id != make.person_id("admin"):
                agreed[role] = seen[role][1]
            if len(purposes.applied) > before:
                content = seen[role][1]
                assert [each for each, what in agreed.items() if what == content and each != "admin"].__len__() >= needed
                assert content == seen[role][1] and purposes.applied[-1][1] == purposes.wanted[system]
            if verb in {"request", "void"}:
                agreed.clear()
    assert len(purposes.applied) <= 1 + steps.count("request")


def _take(step, verb, role, approval, purposes, system, number, seen, needed):
    if verb == "look":
        shown = kinds.fingerprint_seen(approval)
        seen[role] = (shown, shown)
    elif verb == "approve":
        actions.approve(approval, seen=seen.setdefault(role, ("never opened", "never opened"))[0])
    elif step == "edit":
        write(system, f"Edit {number}")
    elif verb == "void":
        actions.void(NAME, system, because="Edited")
        write(system, f"Edit {number}")
    elif verb == "drift":
        purposes.context = f"drift {number}"
    elif verb == "request":
        actions.request(NAME, system, summary="change it", reason="Again", needed=needed)
    elif verb == "reject":
        actions.reject(approval, reason="No")
    else:
        actions.withdraw(approval)


def test_nobody_approves_below_the_pages_either(purposes, olga):
    approval = purposes.requested(purposes.system())
    with make.acting("admin"), pytest.raises(Forbidden, match="another person decides"):
        found = queries.approval(approval)
        actions.approve(found, seen=kinds.fingerprint_seen(found))
    with make.acting("contributor"), pytest.raises(Forbidden, match="Your role"):
        actions.approve(session().scalars(select(Approval)).one(), seen="")
