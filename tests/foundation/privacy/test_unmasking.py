"""Unmasking of a name: shown to the requester for an hour after a second person's approval.

The log records all of it.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import ApprovalGiven
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.privacy import queries, unmasking_actions
from governance.foundation.privacy.models import Unmasking
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from tests import make
from tests.foundation.approvals.approval_helpers import decide_approval, newest_approval_page
from tests.foundation.privacy.conftest import NAME, membership_id_of


def request_unmasking(
    visitor, subject: str, then: int = 303, reason: str = "Who exported at night?"
):
    return visitor.post("privacy/unmaskings/new", then=then, subject=subject, reason=reason)


def names_shown(role: str, subject: str) -> dict[str, str]:
    with make.acting(role, read_only=True):
        return queries.unmasked([subject, "0" * 32])


def unmasking_entries(acting) -> list[str]:
    with acting("admin"):
        query = select(AuditEntry.action).where(AuditEntry.action.startswith("unmasking."))
        return list(session().scalars(query.order_by(AuditEntry.at, AuditEntry.id)))


def session_of_unmasking(acting):
    with acting("admin"):
        return session().scalars(select(Unmasking.id).order_by(Unmasking.created_at.desc())).first()


def given_at():
    return session().scalars(select(ApprovalGiven.given_at)).one()


def test_a_name_is_shown_to_who_asked_and_to_nobody_else_until_the_hour_is_over(
    as_officer, as_admin, departing_member, acting
):
    request_unmasking(as_officer, departing_member.pseudonym)
    assert names_shown("compliance_officer", departing_member.pseudonym) == {}
    decide_approval(as_admin, newest_approval_page(), verb="approve")
    assert names_shown("compliance_officer", departing_member.pseudonym) == {
        departing_member.pseudonym: NAME
    }
    assert (
        names_shown("admin", departing_member.pseudonym)
        == names_shown("reviewer", departing_member.pseudonym)
        == {}
    )
    with acting("admin"):
        question = session().scalars(select(Unmasking)).one()
        assert question.until == given_at() + timedelta(hours=1)
        question.until = clock.now() - timedelta(seconds=1)
    assert names_shown("compliance_officer", departing_member.pseudonym) == {}
    assert unmasking_entries(acting) == ["unmasking.requested", "unmasking.approved"]


def test_it_is_asked_in_one_statement(departing_member, acting, statements):
    with acting("compliance_officer", read_only=True), statements() as seen:
        queries.unmasked([departing_member.pseudonym] * 500)
        queries.unmasked([])
    assert len(seen) == 1


def test_a_page_doesnt_show_a_name_in_the_rest_of_the_minute_in_which_the_hour_ends(
    as_officer, as_admin, as_contributor
):
    subject = membership_id_of("contributor").pseudonym
    # A little earlier: an hour later the officer is still signed in.
    with clock.frozen((clock.now() - timedelta(minutes=1)).replace(second=30)) as agreed:
        request_unmasking(as_officer, subject)
        decide_approval(as_admin, newest_approval_page(), verb="approve")
    ends = agreed + timedelta(hours=1)
    for seconds, is_shown in ((-20, True), (-10, True), (10, False)):
        with clock.frozen(ends + timedelta(seconds=seconds)):
            page = as_officer.get(f"audit/actors/{subject}").text
        assert ("Anna Rossi" in page.partition("<main")[2]) == is_shown


def test_the_first_look_is_an_entry_and_the_second_is_none(
    as_officer, as_admin, as_contributor, acting
):
    subject, page = (
        membership_id_of("contributor").pseudonym,
        f"audit/actors/{membership_id_of('contributor').pseudonym}",
    )
    request_unmasking(as_officer, subject)
    decide_approval(as_admin, newest_approval_page(), verb="approve")
    as_officer.get(newest_approval_page())
    assert "Anna Rossi" not in as_admin.get(page).text
    assert unmasking_entries(acting) == ["unmasking.requested", "unmasking.approved"]
    for _ in range(2):
        assert "Anna Rossi" in as_officer.get(page).text
    assert unmasking_entries(acting) == [
        "unmasking.requested",
        "unmasking.approved",
        "unmasking.viewed",
    ]


def test_nobody_agrees_to_their_own_question_or_about_themselves(
    as_officer, as_reviewer, acting, departing_member
):
    request_unmasking(as_officer, departing_member.pseudonym)
    decide_approval(as_officer, newest_approval_page(), 403, verb="approve")
    with acting("reviewer"):
        mine = personal_field_encryption.pseudonym(make.person_id("reviewer"))
    request_unmasking(as_officer, mine)
    decide_approval(as_reviewer, newest_approval_page(), 403, verb="approve")
    assert names_shown("compliance_officer", mine) == {}


def test_a_question_is_refused_with_a_reason_or_withdrawn(
    as_officer, as_admin, departing_member, acting
):
    request_unmasking(as_officer, departing_member.pseudonym)
    path = newest_approval_page()
    decide_approval(as_admin, path, 422, verb="reject", reason="")
    decide_approval(as_admin, path, verb="reject", reason="No ground.")
    decide_approval(as_admin, path, 409, verb="approve")
    request_unmasking(as_officer, departing_member.pseudonym)
    path = newest_approval_page()
    decide_approval(as_admin, path, 403, verb="withdraw")
    decide_approval(as_admin, path, verb="approve")
    shown = session_of_unmasking(acting)
    as_admin.post(f"privacy/unmaskings/{shown}/end", then=403)
    as_officer.post(f"privacy/unmaskings/{shown}/end")
    assert names_shown("compliance_officer", departing_member.pseudonym) == {}
    as_officer.post(f"privacy/unmaskings/{shown}/end", then=409)
    assert unmasking_entries(acting)[-4:] == [
        "unmasking.rejected",
        "unmasking.requested",
        "unmasking.approved",
        "unmasking.withdrawn",
    ]


def test_a_double_click_asks_once(as_officer, departing_member, acting):
    request_unmasking(as_officer, departing_member.pseudonym)
    request_unmasking(as_officer, departing_member.pseudonym)
    assert unmasking_entries(acting) == ["unmasking.requested"]


@pytest.mark.parametrize("subject", ["0" * 32, "x", "'; --", "p-7k3f"])
def test_a_pseudonym_of_nobody_is_refused(as_officer, subject, database):
    assert (
        "No one in this tenant has that pseudonym"
        in request_unmasking(as_officer, subject, 422).text
    )


def test_a_question_needs_a_reason(as_officer, departing_member):
    request_unmasking(as_officer, departing_member.pseudonym, 422, reason=" ")
    assert (
        departing_member.pseudonym
        in as_officer.get(f"privacy/unmaskings/new?subject={departing_member.pseudonym}").text
    )


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor"])
def test_others_may_not_ask(who, request, departing_member, acting):
    request_unmasking(request.getfixturevalue(who), departing_member.pseudonym, 403)
    assert unmasking_entries(acting) == []


def test_another_tenant_neither_asks_nor_decides(
    as_officer, as_neighbour, departing_member, acting
):
    assert (
        "No one in this tenant"
        in request_unmasking(as_neighbour, departing_member.pseudonym, 422).text
    )
    request_unmasking(as_officer, departing_member.pseudonym)
    decide_approval(as_neighbour, newest_approval_page(), 404, verb="approve")
    as_neighbour.get(newest_approval_page(), then=404)


def test_what_waits_is_counted_for_those_who_may_decide_it(
    as_officer, as_admin, departing_member, acting
):
    request_unmasking(as_officer, departing_member.pseudonym)
    counts = {}
    for role in ("admin", "reviewer", "compliance_officer", "viewer"):
        with acting(role, read_only=True):
            counts[role] = queries.waiting()
    assert counts == {"admin": 1, "reviewer": 1, "compliance_officer": 0, "viewer": 0}
    assert (
        "1 request needs your decision" in as_admin.get("privacy/").text
        and "see the name behind" in as_admin.get("").text
    )
    assert "No requests need your decision" in as_officer.get("privacy/").text


def test_the_rule_holds_below_the_pages_too(acting, departing_member):
    with acting("compliance_officer"):
        request = unmasking_actions.request_unmasking(departing_member.pseudonym, "x")
        with pytest.raises(Forbidden, match="another person must decide"):
            approvals.approve(request, seen=kinds.fingerprint_seen(request))
