"""Two people who change one policy at the same time, committed on their own connections."""

import threading

import pytest

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.kernel.errors import DomainError, Stale
from governance.operations.policies import actions, draft_actions, queries
from governance.operations.policies.effective_policies import Content, read_content
from tests import make
from tests.waiting import MAX_WAIT_SECONDS


@pytest.fixture
def globex_policy(committed_world):
    """Return Globex, whose leftovers of the races are withdrawn or rejected."""
    yield
    with make.acting("admin", "globex"):
        if (row := queries.draft()) is not None:
            draft_actions.withdraw(row)


def commit_elsewhere(deed) -> None:
    """Run the act as another person meanwhile, and commit it."""
    failed = []

    def act():
        try:
            with make.acting("compliance_officer", "globex"):
                deed()
        except Exception as error:
            failed.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    thread.join(MAX_WAIT_SECONDS)
    assert not failed, failed
    assert not thread.is_alive(), "what the other person does takes more than a minute"


def test_an_edit_that_began_before_anothers_was_saved_overwrites_nothing(globex_policy):
    with make.acting("admin", "globex"):
        seen = draft_actions.revision(draft_actions.draft(Content("strict"), seen="", reason="x"))
    with make.acting("admin", "globex"):
        shown = queries.draft()  # As the page does before it locks.
        commit_elsewhere(lambda: draft_actions.draft(Content("regulated"), seen=seen, reason="x"))
        with pytest.raises(Stale):
            draft_actions.draft(Content("baseline"), seen=seen, reason="x")
        assert draft_actions.revision(shown) != seen
    with make.acting("admin", "globex"):
        assert read_content(queries.draft().content).tier == "regulated"


def test_of_a_rejection_and_an_edit_at_the_same_moment_the_second_is_told(globex_policy):
    with make.acting("admin", "globex"):
        row = actions.request_approval(Content("baseline"), seen="", reason="x")
        row_id, seen = row.id, draft_actions.revision(row)
    with make.acting("admin", "globex"):
        shown = queries.draft()
        commit_elsewhere(
            lambda: approvals.reject(open_approval(queries.POLICY, row_id), reason="Not this")
        )
        with pytest.raises(DomainError):
            draft_actions.draft(Content("strict"), seen=seen, reason="x")
        assert shown.id == row_id
    with make.acting("admin", "globex"):
        assert queries.policy_version(row_id).state == "rejected"


def test_of_an_approval_and_an_edit_at_the_same_moment_the_second_is_told(globex_policy):
    """Reject the admin's edit, made on a page that was read before the approval was committed."""
    with make.acting("admin", "globex"):
        row = actions.request_approval(Content("baseline"), seen="", reason="x")
        row_id, seen, before = row.id, draft_actions.revision(row), queries.current_policy().number

    def approve():
        request = open_approval(queries.POLICY, row_id)
        approvals.approve(request, seen=kinds.fingerprint_seen(request))

    with make.acting("admin", "globex"):
        assert queries.draft().id == row_id
        commit_elsewhere(approve)
        with pytest.raises(Stale, match="published or withdrawn while you were editing"):
            draft_actions.draft(Content("strict"), seen=seen, reason="x")
    with make.acting("admin", "globex"):
        assert (queries.current_policy().number, queries.current_policy().tier.key) == (
            before + 1,
            "baseline",
        )
        actions.tighten_now(Content(), base=before + 1, reason="As it was")


def test_of_an_edit_and_an_approval_at_the_same_moment_the_approver_is_told(globex_policy):
    with make.acting("admin", "globex"):
        row_id = actions.request_approval(Content("baseline"), seen="", reason="x").id
    with make.acting("compliance_officer", "globex"):
        request = open_approval(queries.POLICY, row_id)
        seen = kinds.fingerprint_seen(request)
        commit_elsewhere(
            lambda: draft_actions.draft(
                Content("regulated"), seen=draft_actions.revision(queries.draft()), reason="x"
            )
        )
        with pytest.raises(Stale, match="was already voided"):
            approvals.approve(request, seen=seen)
    with make.acting("admin", "globex"):
        assert read_content(queries.draft().content).tier == "regulated"
