"""Requests that aren't ready yet, and requests whose target was redone.

Nobody is asked too early, and no earlier approval counts.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from governance.foundation.approvals import actions, kinds, queries
from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, NotFound
from tests import make
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import (
    approvals_in_inbox,
    approve_below_pages,
    decide_approval,
    fingerprint_on_page,
    newest_approval_page,
)
from tests.foundation.approvals.conftest import NAME, set_purpose

SECOND = ("second_admin", "acme")


@pytest.fixture
def as_second_admin(app, purpose_kind):
    make.add_member(*SECOND, since=clock.now() - make.MEMBERS_FOR)
    return visitor(app, *SECOND)


def renew_request(system, *, is_ready=True, wanted="", purposes=None):
    """Redo the target as the admin and renew its request. Return whether there was one."""
    with make.acting("admin"):
        if purposes is not None:
            purposes.wanted[system] = wanted
        return actions.renew(NAME, system, is_ready=is_ready) is not None


def given_approvals():
    with make.acting("admin", read_only=True):
        return len(session().scalars(select(ApprovalGiven)).all())


def entries_of_renewals():
    with make.acting("admin", read_only=True):
        return len(
            session()
            .scalars(select(AuditEntry.id).where(AuditEntry.action == "approval.renewed"))
            .all()
        )


def expired(approval):
    with make.acting("admin"):
        session().execute(
            update(Approval)
            .where(Approval.id == approval)
            .values(expires_at=clock.now() - timedelta(seconds=1))
        )


# ---- not ready


def test_what_is_not_ready_is_shown_but_nobody_is_asked_and_nobody_can_approve(
    purpose_kind, as_admin, as_second_admin
):
    approval = purpose_kind.requested(purpose_kind.system(), is_ready=False)
    path = newest_approval_page()
    page = as_second_admin.get(path).text
    assert (
        "Not ready" in page
        and 'value="approve"' not in page
        and path not in approvals_in_inbox(as_second_admin)
    )
    with make.acting("second_admin"):
        seen = kinds.fingerprint_seen(queries.approval(approval))
    refused = decide_approval(as_second_admin, path, 422, verb="approve", seen=seen)
    assert (
        "ready for a decision yet" in refused.text
        and purpose_kind.applied == []
        and given_approvals() == 0
    )


def test_what_is_not_ready_can_be_rejected_and_withdrawn(purpose_kind, as_admin, as_second_admin):
    purpose_kind.requested(purpose_kind.system(), is_ready=False)
    decide_approval(as_second_admin, newest_approval_page(), verb="reject", reason="Never")
    purpose_kind.requested(purpose_kind.system(key="sorter"), is_ready=False)
    decide_approval(as_admin, newest_approval_page(), verb="withdraw")
    assert purpose_kind.closed == ["rejected", "withdrawn"]


def test_nobody_is_reminded_of_what_is_not_ready(purpose_kind, as_admin, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system, is_ready=False)
    path, olga = newest_approval_page(), str(make.person_id(*SECOND))
    assert (
        "Olga Novak" in as_admin.get(path).text and "Send reminder" not in as_admin.get(path).text
    )
    assert (
        "ready for a decision yet" in as_admin.post(f"{path}/reminders", then=422, person=olga).text
    )
    renew_request(system)
    assert "Send reminder" in as_admin.get(path).text
    as_admin.post(f"{path}/reminders", person=olga)


def test_once_it_is_ready_it_awaits_who_can_approve_it(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system, is_ready=False)
    assert renew_request(system)
    path = newest_approval_page()
    assert "Awaiting you" in as_second_admin.get(path).text and path in approvals_in_inbox(
        as_second_admin
    )
    decide_approval(as_second_admin, path, verb="approve")
    assert purpose_kind.applied == [(system, "Answers requests.")] and entries_of_renewals() == 1


def test_what_was_ready_can_become_unready_again(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    renew_request(system, is_ready=False)
    decide_approval(as_second_admin, path, 422, verb="approve", seen=seen)
    assert path not in approvals_in_inbox(as_second_admin) and purpose_kind.applied == []


# ---- redone


def test_a_page_opened_before_the_target_was_redone_approves_nothing(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    renew_request(system, wanted="Answers letters.", purposes=purpose_kind)
    page = decide_approval(as_second_admin, path, 409, verb="approve", seen=seen).text
    assert (
        "Something has changed since you opened this page" in page
        and "Answers letters." in page
        and purpose_kind.applied == []
    )
    decide_approval(as_second_admin, path, verb="approve")
    assert purpose_kind.applied == [(system, "Answers letters.")]


def test_who_approved_before_it_was_redone_is_asked_again(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    approval = purpose_kind.requested(system, needed=2)
    path = newest_approval_page()
    approve_below_pages(approval, "second_admin")
    assert path not in approvals_in_inbox(as_second_admin)
    renew_request(system, wanted="Answers letters.", purposes=purpose_kind)
    assert given_approvals() == 0 and path in approvals_in_inbox(as_second_admin)
    approve_below_pages(approval, "compliance_officer")
    assert purpose_kind.applied == []
    approve_below_pages(approval, "second_admin")
    assert purpose_kind.applied == [(system, "Answers letters.")]


def test_renewing_takes_everybody_again_also_when_the_target_stayed_the_same(
    purpose_kind, as_second_admin
):
    """Drop approvals even if a repeated test has the same result: they are for the old one."""
    system = purpose_kind.system()
    approval = purpose_kind.requested(system, needed=2)
    approve_below_pages(approval, "second_admin")
    renew_request(system)
    approve_below_pages(approval, "compliance_officer")
    assert purpose_kind.applied == []


def test_who_joined_between_request_and_renewal_still_cannot_approve(app, purpose_kind):
    system = purpose_kind.system()
    purpose_kind.requested(system, is_ready=False)
    make.add_member(*SECOND)
    renew_request(system)
    late, path = visitor(app, *SECOND), newest_approval_page()
    assert "You joined after this request was made" in late.get(
        path
    ).text and path not in approvals_in_inbox(late)
    decide_approval(late, path, 403, verb="approve")


def test_an_edit_after_the_renewal_voids_it_as_any_edit_does(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system, is_ready=False)
    renew_request(system)
    path = newest_approval_page()
    seen = fingerprint_on_page(as_second_admin, path)
    with make.acting("admin"):
        set_purpose(system, "Sorts letters.")
    decide_approval(as_second_admin, path, 409, verb="approve", seen=seen)
    assert purpose_kind.closed == ["voided"] and not renew_request(system)


# ---- nothing to renew


def test_what_is_closed_or_was_never_requested_is_not_renewed(
    purpose_kind, as_admin, as_second_admin
):
    system, other = purpose_kind.system(), purpose_kind.system(key="sorter")
    purpose_kind.requested(system, is_ready=False)
    decide_approval(as_admin, newest_approval_page(), verb="withdraw")
    assert not renew_request(system) and not renew_request(other) and entries_of_renewals() == 0


def test_an_approved_request_keeps_its_approvals(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    approve_below_pages(purpose_kind.requested(system), "second_admin")
    assert not renew_request(system) and given_approvals() == 1


def test_what_has_expired_is_closed_and_not_renewed(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    expired(purpose_kind.requested(system, is_ready=False))
    assert (
        not renew_request(system)
        and purpose_kind.closed == ["expired"]
        and entries_of_renewals() == 0
    )


def test_a_target_that_is_gone_is_not_renewed(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    approval = purpose_kind.requested(system, needed=2)
    approve_below_pages(approval, "second_admin")

    def gone(_approval):
        raise NotFound("There is no such system.")

    object.__setattr__(purpose_kind.kind, "fingerprint", gone)
    with make.acting("admin"), pytest.raises(DomainError, match="nothing to approve"):
        actions.renew(NAME, system)
    assert given_approvals() == 1


def test_a_kind_that_nobody_registered_is_a_mistake_in_the_code(purpose_kind):
    with make.acting("admin"), pytest.raises(LookupError):
        actions.renew("nobody's", purpose_kind.system())
