"""The discussion of an approval: open to those who see the request, removed by an erasure."""

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.foundation.approvals import actions, discussion, queries
from governance.foundation.approvals.models import ApprovalComment
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.privacy import redaction
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import decide_approval, newest_approval_page
from tests.foundation.approvals.conftest import NAME

SECOND = ("second_admin", "acme")


@pytest.fixture
def as_second_admin(app, database, purpose_kind):
    make.add_member(*SECOND, since=clock.now() - make.MEMBERS_FOR)
    return visitor(app, *SECOND)


def comments_on_page(reply):
    """Return the comments on the page, with their authors."""
    section = BeautifulSoup(reply.text, "html.parser").select_one(
        "section[aria-labelledby=discussion]"
    )
    return (
        [" ".join(each.get_text(" ").split()) for each in section.select("article")]
        if section
        else None
    )


def sent_mails():
    with make.acting("admin", read_only=True):
        return [
            each.params["to"]
            for each in session().scalars(
                select(WorkItem).where(WorkItem.kind == "mail").order_by(WorkItem.id)
            )
            if "gave the role of admin" not in each.params["body"]
        ]


def test_an_approver_asks_and_the_requester_answers(purpose_kind, as_admin, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    after = as_second_admin.post(f"{path}/comments", text=" How long is it needed? ")
    assert after.location.endswith("#discussion")
    as_admin.post(f"{path}/comments", text="Until March.")
    first, second = comments_on_page(as_second_admin.get(path))
    assert "Olga Novak" in first and first.endswith("How long is it needed?")
    assert "Sanjay Patel" in second and second.endswith("Until March.")
    assert sent_mails() == ["admin@acme.example", "olga.novak@acme.example"]
    with make.acting("admin", read_only=True):
        entries = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "approval.commented"))
            .all()
        )
        assert len(entries) == 2
        assert {personal_field_encryption.unseal("text", e.sealed["text"]) for e in entries} == {
            "How long is it needed?",
            "Until March.",
        }
    assert "commented on an approval request" not in as_admin.get(path).text, (
        "the discussion shows it already"
    )


def test_a_double_click_comments_once_and_nothing_is_no_comment(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    as_second_admin.post(f"{path}/comments", text="Why?")
    as_second_admin.post(f"{path}/comments", text="Why?")
    assert len(comments_on_page(as_second_admin.get(path))) == 1
    refused = as_second_admin.post(f"{path}/comments", text="  ", then=422)
    assert "Write a comment." in refused.text and "Approve" in refused.text
    as_second_admin.post(f"{path}/comments", text="x" * 2001, then=422)


def test_who_does_not_see_the_request_does_not_discuss_it(
    purpose_kind, as_viewer, as_auditor, as_neighbour, as_contributor
):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    for stranger, status in (
        (as_viewer, 403),
        (as_auditor, 403),
        (as_neighbour, 404),
        (as_contributor, 404),
    ):
        stranger.post(f"{path}/comments", text="Let me in", then=status)


def test_a_decided_request_keeps_its_discussion_and_takes_no_more(purpose_kind, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    as_second_admin.post(f"{path}/comments", text="Why?")
    decide_approval(as_second_admin, path, verb="approve")
    reply = as_second_admin.get(path)
    assert len(comments_on_page(reply)) == 1 and "Post comment" not in reply.text
    assert (
        "comment on it any more"
        in as_second_admin.post(f"{path}/comments", text="Still?", then=409).text
    )


def test_a_discussion_does_not_change_what_is_approved(purpose_kind, as_admin, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    before = purpose_kind.applied.copy()
    as_admin.post(f"{path}/comments", text="It grew a lot.")
    decide_approval(as_second_admin, path, verb="approve")
    assert len(purpose_kind.applied) == len(before) + 1


def test_an_erasure_reaches_the_discussion(purpose_kind, as_second_admin):
    system = purpose_kind.system()
    purpose_kind.requested(system)
    path = newest_approval_page()
    as_second_admin.post(f"{path}/comments", text="Does Nadia Karim still use it?")
    with make.acting("admin"):
        redaction.replace(
            redaction.Traces(make.person_id("viewer"), frozenset({"Nadia Karim"}), frozenset())
        )
        session().expire_all()
        assert session().scalars(select(ApprovalComment.text)).all() == [
            "Does [erased] still use it?"
        ]
        actions.redact(NAME, [system], summary="change a purpose")
        assert session().scalars(select(ApprovalComment)).all() == []


def test_a_long_discussion_shows_its_newest_and_has_an_end(
    purpose_kind, as_second_admin, monkeypatch
):
    asked = purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    monkeypatch.setattr(discussion, "PAGE_SIZE", 2)
    monkeypatch.setattr(discussion, "MAX_COMMENTS", 3)
    for number in range(3):
        as_second_admin.post(f"{path}/comments", text=f"Question {number}")
    assert [each.split()[-1] for each in comments_on_page(as_second_admin.get(path))] == ["1", "2"]
    as_second_admin.post(f"{path}/comments", text="One more", then=422)
    with make.acting("admin", read_only=True):
        assert len(discussion.comments(queries.approval(asked))) == 2


def test_comments_in_a_row_send_one_mail(purpose_kind, as_admin, as_second_admin):
    purpose_kind.requested(purpose_kind.system())
    path = newest_approval_page()
    for number in range(4):
        as_second_admin.post(f"{path}/comments", text=f"Question {number}")
    assert sent_mails() == ["admin@acme.example"]
    as_admin.post(f"{path}/comments", text="One after the other, please.")
    as_second_admin.post(f"{path}/comments", text="Question 4")
    # At most one in ten minutes.
    assert sent_mails() == ["admin@acme.example", "olga.novak@acme.example"]
