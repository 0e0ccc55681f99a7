"""Comments on objects: members discuss, mention each other, correct and remove what they wrote."""

from datetime import timedelta
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from governance.assurance.testing.models import TestException
from governance.foundation.comments import actions, mentions, queries
from governance.foundation.comments.models import ObjectComment, ObjectCommentRevision
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.testing import type2_helpers
from tests.foundation.comments.comment_helpers import (
    ANNA,
    JUN,
    comments,
    discussion,
    entries,
    told,
)


@pytest.fixture
def control(app, isolated):
    return evidence_helpers.create_control()


@pytest.fixture
def page(control):
    return f"controls/{control}"


@pytest.fixture
def address(control):
    return f"comments/control/{control}"


# ---- writing


def test_members_discuss_on_the_page_of_a_control(as_officer, as_contributor, page, address):
    after = as_officer.post(address, text=" Is the report complete? ")
    assert after.location.endswith(f"{page}#discussion")
    as_contributor.post(address, text="Page 4 follows.\nTomorrow.")
    first, second = discussion(as_officer.get(page))
    assert "Ines Duarte" in first and "Is the report complete?" in first
    assert "Anna Rossi" in second and "Page 4 follows. Tomorrow." in second


def test_evidence_and_exceptions_have_discussions_too(as_officer):
    evidence = evidence_helpers.create_evidence()
    type2_helpers.create_failed_sample()
    with make.acting("admin", read_only=True):
        exception = session().scalars(select(TestException.id)).one()
    for kind, subject, path in (
        ("evidence", evidence, f"evidence/{evidence}"),
        ("exception", exception, f"evidence/type-ii/exceptions/{exception}"),
    ):
        assert as_officer.post(f"comments/{kind}/{subject}", text="Why?").location.endswith(
            f"{path}#discussion"
        )
        assert "Why?" in discussion(as_officer.get(path))[0]


def test_a_click_too_many_writes_one(as_officer, address):
    for _ in range(2):
        as_officer.post(address, text="Once")
    assert len(comments()) == len(entries("comment.posted")) == 1


@pytest.mark.parametrize(("text", "says"), [("  ", "Write a comment"), ("x" * 2001, "2,000")])
def test_empty_and_endless_texts_are_refused(as_officer, address, text, says):
    assert says in as_officer.post(address, text=text, then=422).text
    assert comments() == []


def test_markup_is_text(as_officer, address, page):
    as_officer.post(
        address, text="<script>alert(1)</script> & @{00000000-0000-0000-0000-000000000000}"
    )
    found = as_officer.get(page)
    assert "<script>alert(1)" not in found.text
    assert "<script>alert(1)</script> & @{00000000-" in discussion(found)[0]


def test_a_discussion_has_an_end(as_officer, address, control, monkeypatch):
    monkeypatch.setattr(actions, "MAX_COMMENTS", 2)
    for text in ("One", "Two"):
        as_officer.post(address, text=text)
    assert "reached its limit" in as_officer.post(address, text="Three", then=422).text


def test_earlier_comments_are_a_page_away(as_officer, acting, address, page, monkeypatch):
    monkeypatch.setattr(queries, "PAGE_SIZE", 2)
    for text in ("First", "Second", "Third"):
        as_officer.post(address, text=text)
    shown = as_officer.get(page)
    assert [words.split()[-4:-3] or words for words in discussion(shown)] and "First" not in str(
        discussion(shown)
    )
    link = BeautifulSoup(shown.text, "html.parser").find("a", string="Earlier comments")
    earlier = as_officer.get(link["href"])
    assert len(discussion(earlier)) == 1 and "First" in discussion(earlier)[0]


# ---- permissions


def test_auditors_neither_read_nor_write_nor_learn_of_comments(
    as_officer, as_auditor, address, page
):
    as_officer.post(address, text="Before the auditors ask")
    found = as_auditor.get(page)
    assert "Before the auditors ask" not in found.text and 'id="discussion"' not in found.text
    as_auditor.get(address, then=403)
    as_auditor.post(address, text="Me too", then=403)
    as_auditor.get(f"{address}/people", then=403)


def test_viewers_read_and_do_not_write(as_officer, as_viewer, address, page):
    as_officer.post(address, text="Look")
    found = as_viewer.get(page)
    assert "Look" in discussion(found)[0] and "Post comment" not in found.text
    as_viewer.post(address, text="No", then=403)


def test_another_tenant_finds_nothing(as_officer, as_stranger, as_neighbour, address):
    as_officer.post(address, text="Ours")
    comment = comments()[0].id
    for path in (address, f"{address}/people", f"comments/{comment}/history"):
        as_neighbour.get(path, then=404)
        as_stranger.get(path, then=404)
    as_neighbour.post(f"comments/{comment}/edit", text="Theirs", then=404)
    as_neighbour.post(f"comments/{comment}/remove", then=404)
    as_neighbour.post(address, text="Theirs", then=404)
    assert comments()[0].text == "Ours"


@pytest.mark.parametrize("kind", ["control", "person", "evidence", "made-up"])
def test_a_comment_is_on_something_that_exists(as_officer, kind):
    as_officer.post(f"comments/{kind}/{uuid4()}", text="On nothing", then=404)


# ---- mentions


def test_a_mention_is_shown_by_name_and_tells_the_person(as_officer, address, page):
    as_officer.post(address, text=f"Please look, @{JUN}. And (@{ANNA.upper()}).")
    [shown] = discussion(as_officer.get(page))
    assert shown.endswith(
        "Please look, @Jun Chen . And ( @Anna Rossi ). Edit the comment by Ines"
        " Duarte Remove the comment by Ines Duarte"
    )
    assert JUN not in comments()[0].text and len(comments()[0].mentions) == 2
    assert [kind for kind, _ in told("reviewer")] == ["mention"]
    assert [kind for kind, _ in told("contributor")] == ["assignment", "mention"]
    assert told("compliance_officer") == []


@pytest.mark.parametrize(
    "who",
    ["auditor@audit.example", "officer@globex.example", "nobody@acme.example"],
    ids=["an auditor", "another tenant's", "nobody"],
)
def test_who_may_not_read_it_can_not_be_mentioned_and_all_get_one_answer(as_officer, address, who):
    refused = as_officer.post(address, text=f"@{who} look", then=422).text
    assert f"Nobody who can read this has the address {who}" in refused
    assert f"@{who} look" in refused and comments() == []


def test_a_former_member_can_not_be_mentioned(as_officer, acting, address):
    with acting("admin"):
        session().execute(
            update(Membership)
            .where(Membership.person_id == make.person_id("reviewer"))
            .values(ended_at=clock.now())
        )
    as_officer.post(address, text=f"@{JUN} look", then=422)


def test_an_address_without_the_sign_mentions_nobody(as_officer, address):
    as_officer.post(address, text=f"Write to {JUN} or x@{JUN}")
    assert comments()[0].mentions == [] and told("reviewer") == []


def test_there_are_twenty_mentions_at_most(monkeypatch, as_officer, address):
    monkeypatch.setattr(mentions, "MAX_MENTIONS", 1)
    assert "Mention 1 people" in as_officer.post(address, text=f"@{JUN} @{ANNA}", then=422).text


def test_the_menu_lists_who_may_read_it(as_officer, address):
    menu = {"HX-Request": "true", "HX-Target": "div#menu"}
    fragment = BeautifulSoup(as_officer.get(f"{address}/people", headers=menu).text, "html.parser")
    chosen = [each["data-mention"] for each in fragment.select("button[data-mention]")]
    assert f"@{JUN}" in chosen and "@viewer@acme.example" in chosen
    assert "@auditor@audit.example" not in chosen
    assert JUN in as_officer.get(f"{address}/people").text  # The page without a script.


def test_the_owner_and_earlier_writers_follow(
    as_officer, as_contributor, as_reviewer, acting, page, control, address
):
    as_officer.post(address, text="One")
    as_reviewer.post(address, text="Two")
    assert [kind for kind, _ in told("contributor")] == ["assignment", "comment", "comment"]
    assert [kind for kind, _ in told("compliance_officer")] == ["comment"]
    assert told("reviewer") == []


# ---- editing and removing


def test_an_edit_keeps_what_it_said_before(as_officer, as_viewer, address, page):
    as_officer.post(address, text="Frist")
    comment = comments()[0].id
    form = as_officer.get(f"comments/{comment}/edit")
    assert ">\r\nFrist</textarea>" in form.text or "Frist</textarea>" in form.text
    as_officer.post(f"comments/{comment}/edit", text=f"First @{JUN}")
    assert "edited" in discussion(as_officer.get(page))[0]
    history = as_viewer.get(f"comments/{comment}/history").text
    assert "@Jun Chen" in history and "Frist" in history
    assert [kind for kind, _ in told("reviewer")] == ["mention"]
    assert f"First @{JUN}" in as_officer.get(f"comments/{comment}/edit").text


def test_the_same_text_again_is_no_edit(as_officer, address):
    as_officer.post(address, text="First")
    as_officer.post(f"comments/{comments()[0].id}/edit", text="First")
    assert comments()[0].edited_at is None and entries("comment.edited") == []


def test_only_its_writer_edits_and_for_half_an_hour(as_officer, as_admin, acting, address):
    as_officer.post(address, text="First")
    comment = comments()[0].id
    as_admin.get(f"comments/{comment}/edit", then=403)
    as_admin.post(f"comments/{comment}/edit", text="Admin's", then=403)
    with acting("admin"):
        session().execute(
            update(ObjectComment).values(created_at=clock.now() - timedelta(minutes=31))
        )
    assert (
        "for 30 minutes" in as_officer.post(f"comments/{comment}/edit", text="Late", then=409).text
    )
    assert comments()[0].text == "First"


def test_a_removal_leaves_who_and_when_and_no_text(as_officer, address, page):
    as_officer.post(address, text="Wrong place")
    comment = comments()[0].id
    as_officer.post(f"comments/{comment}/edit", text="Still wrong")
    as_officer.post(f"comments/{comment}/remove")
    [shown] = discussion(as_officer.get(page))
    assert "A comment by Ines Duarte, removed by Ines Duarte on" in shown
    with make.acting("admin", read_only=True):
        assert session().scalars(select(ObjectCommentRevision)).all() == []
    assert comments()[0].text == "" and len(entries("comment.removed")) == 1
    as_officer.post(f"comments/{comment}/remove", then=404)
    as_officer.get(f"comments/{comment}/history", then=404)


def test_an_admin_removes_others_and_an_officer_does_not(
    as_contributor, as_officer, as_admin, address, page
):
    as_contributor.post(address, text="Careless")
    comment = comments()[0].id
    assert "Remove the comment" not in as_officer.get(page).text
    as_officer.post(f"comments/{comment}/remove", then=403)
    as_admin.post(f"comments/{comment}/remove")
    assert "removed by Sanjay Patel" in discussion(as_admin.get(page))[0]


# ---- stored history


def test_the_log_has_each_step_and_its_text_sealed(as_officer, address):
    as_officer.post(address, text="A secret remark")
    comment = comments()[0].id
    as_officer.post(f"comments/{comment}/edit", text="Another secret")
    as_officer.post(f"comments/{comment}/remove")
    for action in ("comment.posted", "comment.edited", "comment.removed"):
        [entry] = entries(action)
        assert entry.facts["kind"] == "control" and "secret" not in str(entry.body)


def test_a_discussion_is_two_statements_and_none_for_auditors(
    as_officer, as_auditor, address, page, statements
):
    for n in range(3):
        as_officer.post(address, text=f"@{JUN} {n}")
    with statements() as seen:
        as_officer.get(page)
    assert len([s for s in seen if "object_comments" in s]) == 1
    with statements() as seen:
        as_auditor.get(page)
    assert not [s for s in seen if "object_comments" in s]
