"""The change log for customers: one person writes, another approves exactly what is published."""

import pytest

from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.kernel.errors import Stale
from governance.publishing.change_log import actions, queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.publishing.change_log.change_log_helpers import (
    approve,
    changes,
    fields,
    published,
    requested,
    started,
    state_of,
    text,
    written,
)


def test_an_admin_starts_it_and_others_see_that_it_isnt_started(isolated, as_admin, as_contributor):
    assert "An admin can start it." in main_text(as_contributor.get("change-log/"))
    as_contributor.post("change-log/start", then=403)
    as_admin.post("change-log/start")
    as_admin.post("change-log/start")  # A double click.
    page = main_text(as_contributor.get("change-log/"))
    assert "Customers read it at http" in page and "No changes yet" in page


def test_a_change_is_written_approved_by_another_person_and_public(
    isolated, client, as_contributor, as_officer
):
    public = started()
    reply = as_contributor.post("change-log/new", **fields())
    change_id = reply.location.rsplit("/", 1)[1]
    assert "Claims triage answers in Polish" not in client.get(public).text
    address = requested(as_contributor, change_id)
    page = main_text(as_officer.get(address))
    assert (
        "Answers follow the language of the claim." in page and "It is on the public page" in page
    )
    approve(as_officer, address)
    assert state_of(change_id) == "published"
    page = client.get(public)
    assert "Claims triage answers in Polish" in page.text
    assert "You need not translate claims any more." in page.text
    assert page.headers["X-Robots-Tag"] == "noindex, nofollow"
    for person in ("Anna Rossi",):
        assert person not in page.text


def test_who_wrote_or_edited_a_change_cant_approve_it(isolated, as_officer, as_reviewer):
    started()
    with make.acting("compliance_officer"):
        change_id = actions.write(text()).id
    address = requested(as_officer, change_id)
    assert "another person must approve it" in main_text(as_officer.get(address))
    approve(as_officer, address, then=403, seen="x")
    assert state_of(change_id) == "requested"
    approve(as_reviewer, address)
    assert state_of(change_id) == "published"


def test_an_edit_voids_the_request_so_nobody_approves_a_text_they_havent_read(
    isolated, as_contributor, as_officer
):
    started()
    change_id = written()
    address = requested(as_contributor, change_id)
    seen = field_value(as_officer.get(address).text, "seen")
    as_contributor.post(f"change-log/{change_id}", **fields(title="Another title"))
    approve(as_officer, address, then=409, seen=seen)
    assert state_of(change_id) == "draft"


def test_two_tabs_the_second_sees_what_the_first_saved(isolated, as_contributor, as_officer):
    started()
    change_id = written()
    as_officer.post(f"change-log/{change_id}", **fields(title="Theirs"))
    reply = as_contributor.post(f"change-log/{change_id}", then=409, **fields(title="Mine"))
    page = main_text(reply)
    assert "was changed while you were editing" in page and "Theirs" in page
    assert field_value(reply.text, "seen") == "2"
    with make.acting("viewer", read_only=True):
        assert queries.change(change_id).title == "Theirs"


def test_a_rejected_change_returns_to_its_writer_with_the_comment(
    isolated, as_contributor, as_officer
):
    started()
    change_id = written()
    address = requested(as_contributor, change_id)
    seen = field_value(as_officer.get(address).text, "seen")
    as_officer.post(address, verb="reject", seen=seen, typed="", reason="Say since when.")
    assert state_of(change_id) == "draft"
    page = main_text(as_contributor.get(f"change-log/{change_id}"))
    assert "Say since when." in page


def test_a_form_sent_twice_writes_one_change(isolated, as_contributor):
    started()
    form = fields()
    first, second = (as_contributor.post("change-log/new", **form) for _ in range(2))
    assert first.location == second.location
    with make.acting("viewer", read_only=True):
        assert len(changes()) == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"title": " "}, "Enter a title."),
        ({"title": "x" * 161}, "160"),
        ({"body": ""}, "Describe what changed."),
        ({"body": "x" * 4001}, "4000"),
        ({"effect": "x" * 4001}, "4000"),
        ({"kind": "gossip"}, "Not a valid choice"),
        ({"system_id": "01999999-0000-7000-8000-000000000000"}, "Not a valid choice"),
    ],
)
def test_a_wrong_change_is_refused_beside_its_field(isolated, as_contributor, given, sentence):
    started()
    reply = as_contributor.post("change-log/new", then=422, **fields(**given))
    assert sentence in reply.text


def test_a_published_change_cant_be_edited_only_withdrawn_with_a_reason(
    isolated, client, as_contributor, as_officer
):
    public = started()
    change_id = published(as_contributor, as_officer)
    as_contributor.post(f"change-log/{change_id}", then=409, **fields(title="Quietly different"))
    as_contributor.post(f"change-log/{change_id}/discard", then=409)
    as_contributor.post(f"change-log/{change_id}/withdraw", then=403, reason="No.")
    as_officer.post(f"change-log/{change_id}/withdraw", then=422, reason=" ")
    as_officer.post(f"change-log/{change_id}/withdraw", reason="It was Czech.")
    as_officer.post(f"change-log/{change_id}/withdraw", then=409, reason="Again.")
    page = client.get(public).text
    assert "Withdrawn" in page and "It was Czech." in page
    assert "Answers follow the language" not in page


def test_a_discarded_change_is_reopened(isolated, as_contributor):
    started()
    change_id = written()
    as_contributor.post(f"change-log/{change_id}/discard")
    as_contributor.post(f"change-log/{change_id}/request", then=409)
    as_contributor.post(f"change-log/{change_id}/reopen")
    assert state_of(change_id) == "draft"
    as_contributor.post(f"change-log/{change_id}/reopen", then=409)


def test_a_change_that_was_approved_twice_at_once_is_published_once(isolated, as_contributor):
    started()
    change_id = written()
    requested(as_contributor, change_id)
    with make.acting("compliance_officer"):
        found = queries.change(change_id)
        actions.publish(found)
        with pytest.raises(Stale):
            actions.publish(found)


def test_readers_read_and_change_nothing(isolated, as_viewer, as_auditor):
    started()
    change_id = written()
    for reader in (as_viewer, as_auditor):
        assert "Claims triage answers in Polish" in reader.get(f"change-log/{change_id}").text
        reader.post(f"change-log/{change_id}", then=403, **fields())
        reader.post(f"change-log/{change_id}/request", then=403)


def test_every_step_is_in_the_audit_log(isolated, as_contributor, as_officer):
    started()
    change_id = published(as_contributor, as_officer)
    as_officer.post(f"change-log/{change_id}/withdraw", reason="It was Czech.")
    with make.acting("admin", read_only=True):
        actions_ = [
            each.action
            for each in session().query(AuditEntry).where(AuditEntry.target_id == change_id)
        ]
    assert [name.removeprefix("change_log.change.") for name in sorted(actions_)] == [
        "approval.requested",
        "approved",
        "drafted",
        "published",
        "withdrawn",
    ]
