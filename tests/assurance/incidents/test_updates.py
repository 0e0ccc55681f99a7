"""Customer updates: prefilled, edited by two people, approved by another, sent once."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from governance.assurance.incidents import (
    contact_actions,
    drafts,
    queries,
    update_actions,
    update_queries,
)
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.queries import open_approval
from governance.foundation.privacy.events import PersonErased
from governance.foundation.webhooks import actions as endpoints
from governance.foundation.webhooks import models as webhooks
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.incidents import incident_helpers as incidents


def mails_to(address: str) -> list[dict]:
    query = select(WorkItem.params).where(WorkItem.kind == "mail")
    return [each for each in session().scalars(query) if each["to"] == address]


def drafted(**more):
    """Return (incident's id, update's id) of a draft by the reviewer."""
    found = incidents.declare(summary="Approvals cited clause 14.3.", **more)
    with make.acting("reviewer"):
        return found, update_actions.draft(queries.incident(found)).id


def path_of(incident_id, update_id) -> str:
    return f"incidents/{incident_id}/updates/{update_id}"


def test_a_draft_is_prefilled_marks_what_is_unknown_and_there_is_one(database, acting):
    found, update = drafted()
    with acting("reviewer"):
        made = update_actions.draft(queries.incident(found))
        assert made.id == update
        assert "Approvals cited clause 14.3." in made.body
        assert drafts.unknown_lines(made.body) == [
            "Unknown: from when to when you were affected.",
            "Unknown: how many requests or people are affected.",
            "Unknown: when we write next.",
        ]


def test_two_people_editing_one_update_see_each_other(database, as_reviewer, as_officer):
    path = path_of(*drafted())
    as_reviewer.post(path, version="1", title="Ours", body="First text")
    refused = as_officer.post(path, then=409, version="1", title="Theirs", body="Second text")
    assert "First text" in refused.text
    assert "Second text" in refused.text
    as_officer.post(path, version="2", title="Theirs", body="Second text")


def test_another_person_approves_exactly_this_text_and_it_is_sent_once(
    database, acting, as_reviewer, as_officer
):
    found, update = drafted()
    with acting("admin"):
        contact_actions.add_contact("Kim Weber", "kim@customer.example")
    as_reviewer.post(f"{path_of(found, update)}/request")
    page = as_officer.get(f"incidents/{found}").text
    assert "Customer update 1 needs an approver other than" in page
    with acting("reviewer"):
        asked = open_approval(update_queries.APPROVAL, update)
        asked_id = asked.id
        assert kinds.label(asked) == "Customer update"
    shown = as_officer.get(f"approvals/{asked_id}").text
    assert "Approve and send" in shown
    assert "marked as unknown" in shown
    with acting("compliance_officer"):
        asked = open_approval(update_queries.APPROVAL, update)
        approvals.approve(asked, seen=kinds.fingerprint_seen(asked))
        sent = update_queries.update_of(found, update)
        assert (sent.state, sent.contacts, sent.webhooks) == ("sent", 1, 0)
        assert queries.incident(found).responded_at == sent.sent_at
        letters = mails_to("kim@customer.example")
        assert [each["subject"].endswith("(INC-1)") for each in letters] == [False, True]
    as_reviewer.post(path_of(found, update), then=422, version="1", title="Late", body="Edit")


def test_who_drafted_or_edited_an_update_cannot_approve_it(database, acting, as_reviewer):
    found, update = drafted()
    as_reviewer.post(f"{path_of(found, update)}/request")
    with acting("reviewer"):
        asked_id = open_approval(update_queries.APPROVAL, update).id
    assert "You drafted or edited this update" in as_reviewer.get(f"approvals/{asked_id}").text


def test_an_edit_voids_the_request_and_a_rejection_returns_the_draft(
    database, acting, as_reviewer, as_officer
):
    found, update = drafted()
    as_reviewer.post(f"{path_of(found, update)}/request")
    as_officer.post(path_of(found, update), version="1", title="New", body="New text")
    with acting("admin"):
        assert open_approval(update_queries.APPROVAL, update) is None
        assert update_queries.update_of(found, update).state == "draft"
    as_officer.post(f"{path_of(found, update)}/request")
    with acting("admin"):
        asked = open_approval(update_queries.APPROVAL, update)
        approvals.reject(asked, reason="Say what we do next")
        returned = update_queries.update_of(found, update)
        assert (returned.state, returned.comment) == ("draft", "Say what we do next")
    assert "Say what we do next" in as_officer.get(f"incidents/{found}").text


def test_webhooks_hear_of_it_without_names(database, acting):
    found, update = drafted()
    with acting("admin"):
        data = update_actions.payload(
            queries.incident(found), update_queries.update_of(found, update)
        )
        assert data["incident"] == "INC-1"
        assert data["update"]["number"] == 1
        assert "Jun Chen" not in str(data)
        assert session().scalars(select(webhooks.WebhookDelivery)).all() == []


def test_a_webhook_that_asked_for_it_gets_the_update_that_was_sent(
    database, acting, as_reviewer, monkeypatch
):
    monkeypatch.setenv("GOVERNANCE_DEMO", "1")  # Its receiver is on loopback.
    found, update = drafted()
    with acting("admin"):
        endpoints.add(name="Tickets", url="http://127.0.0.1:9/x", events=["incident.updated"])
    as_reviewer.post(f"{path_of(found, update)}/request")
    with acting("compliance_officer"):
        asked = open_approval(update_queries.APPROVAL, update)
        approvals.approve(asked, seen=kinds.fingerprint_seen(asked))
        sent = update_queries.update_of(found, update)
        assert (sent.state, sent.webhooks) == ("sent", 1)
        [queued] = session().scalars(select(webhooks.WebhookDelivery)).all()
        assert queued.event_type == "incident.updated"


def test_another_tenants_update_does_not_exist(database, as_stranger, as_viewer):
    found, update = drafted()
    as_stranger.get(path_of(found, update), then=404)
    as_viewer.get(path_of(found, update))
    as_viewer.post(path_of(found, update), then=403, version="1", title="x", body="y")


def test_a_sent_update_never_changes_except_that_an_erasure_replaces_a_name(database, acting):
    found, update = drafted()
    with acting("compliance_officer"):
        each = update_queries.update_of(found, update)
        update_actions.send(queries.incident(found), each)
        session().flush()
        with pytest.raises(DBAPIError, match="never changes"), session().begin_nested():
            each.body = "Something else"
            session().flush()
        session().refresh(each)
        each.body = each.body.replace("clause", "[erased]")
        session().flush()


def test_an_erased_contact_loses_access(database, acting):
    with acting("admin"):
        contact = contact_actions.add_contact("Kim Weber", "kim@customer.example")
        erased = PersonErased(make.person_id("viewer"), ["Kim Weber"], ["KIM@customer.example"])
        contact_actions.forget_contact(erased)
        assert contact.removed_at is not None
        assert contact.link_hash is None
        assert erased.removed == {"status page contacts": 1}


def test_a_title_with_a_line_break_reaches_the_contacts_as_one_line(database, as_reviewer, acting):
    """Join the lines: mail headers have no line breaks, so the message could not be sent."""
    with acting("compliance_officer"):
        contact_actions.add_contact("Bea Winter", "bea@customer.example")
    found, update = drafted()
    title = "Answers are slow\r\nBcc: everyone@rival.example"
    as_reviewer.post(path_of(found, update), version="1", title=title, body="We look into it.")
    with acting("compliance_officer"):
        incident = queries.incident(found)
        update_actions.send(incident, update_queries.update_of(found, update, lock=True))
        subject = mails_to("bea@customer.example")[-1]["subject"]
    assert subject == "Answers are slow Bcc: everyone@rival.example (INC-1)"
