"""Auditors' requests: open, provided, accepted or returned.

Provided files stay. Ids of another engagement lead nowhere.
"""

import csv
import io
import re
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, insert, select, text
from sqlalchemy.exc import InternalError, ProgrammingError

from governance.assurance.controls import mapping_actions
from governance.assurance.controls.queries import find_control
from governance.assurance.engagements import queries
from governance.assurance.engagements.models import AuditRequest, RequestRemark
from governance.assurance.engagements.requests import attachment_queries
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import deletion_helpers as keeping
from tests.assurance.evidence import evidence_helpers
from tests.conftest import visitor


@pytest.fixture
def open_request(acting, database):
    """Return a request of the world's engagement: (address, engagement, request)."""
    engagement = engagement_helpers.world_engagement()
    made = engagement_helpers.create_request(engagement)
    return f"engagements/{engagement}/requests/{made}", engagement, made


def request_state(acting, request_id):
    with acting("admin"):
        return session().scalar(select(AuditRequest.state).where(AuditRequest.id == request_id))


def remarks_of(acting, request_id):
    with acting("admin"):
        query = select(RequestRemark.kind, RequestRemark.text).where(
            RequestRemark.request_id == request_id
        )
        return [
            tuple(row)
            for row in session().execute(query.order_by(RequestRemark.written_at, RequestRemark.id))
        ]


def actions_of(acting, request_id):
    with acting("admin"):
        query = (
            select(AuditEntry.action)
            .where(AuditEntry.target_id == request_id)
            .order_by(AuditEntry.id)
        )
        return list(session().scalars(query))


def test_from_open_over_returned_to_accepted_with_each_step_in_the_log(
    as_contributor, as_auditor, acting, open_request
):
    page, engagement, request = open_request
    first = evidence_helpers.upload_version(evidence_helpers.create_evidence("Members in June"))
    as_contributor.post(f"{page}/attachments", version_id=str(first))
    engagement_helpers.change_request_state(
        as_contributor, page, "provide", text="The list of June"
    )
    assert request_state(acting, request) == "provided"
    engagement_helpers.change_request_state(as_auditor, page, "return", text="July is missing")
    assert request_state(acting, request) == "returned"
    second = evidence_helpers.upload_version(evidence_helpers.create_evidence("Members in July"))
    as_contributor.post(f"{page}/attachments", version_id=str(second))
    engagement_helpers.change_request_state(as_contributor, page, "provide")
    engagement_helpers.change_request_state(as_auditor, page, "accept", text="Complete now")
    assert request_state(acting, request) == "accepted"
    said = [
        ("provided", "The list of June"),
        ("returned", "July is missing"),
        ("provided", ""),
        ("accepted", "Complete now"),
    ]
    assert remarks_of(acting, request) == said
    assert actions_of(acting, request) == [
        "engagement.request.created",
        "engagement.request.version.attached",
        "engagement.request.provided",
        "engagement.request.returned",
        "engagement.request.version.attached",
        "engagement.request.provided",
        "engagement.request.accepted",
    ]


def test_the_auditor_sees_what_was_provided_and_nothing_that_is_being_prepared(
    as_auditor, as_contributor, open_request
):
    page, engagement, request = open_request
    given, draft = (
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Given evidence")),
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Draft evidence")),
    )
    engagement_helpers.attach_version(engagement, request, given)
    engagement_helpers.provide_request(engagement, request)
    engagement_helpers.change_request_state(as_auditor, page, "return", text="More, please")
    engagement_helpers.attach_version(engagement, request, draft)
    seen = as_auditor.get(page).text
    assert "Given evidence" in seen and "Draft evidence" not in seen
    assert "Draft evidence" in as_contributor.get(page).text


def test_any_version_in_scope_is_found_by_words_and_attached_whatever_the_page_offers(
    as_contributor, acting, open_request
):
    page, _engagement, request = open_request
    old = evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Penetration test of the spring"), b"a,b\n0,0\n", "old.csv"
    )
    for number in range(21):
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(f"Newer {number}"),
            f"a,b\n{number},1\n".encode(),
            "newer.csv",
        )
    offered = as_contributor.get(page).text
    assert (
        str(old) not in offered
        and "Shows the 20 newest versions" in offered
        and "Newer 20" in offered
    )
    found = as_contributor.get(f"{page}?find=spring+penetration").text
    assert str(old) in found and "Newer 20" not in found
    assert "No versions match your search" in as_contributor.get(f"{page}?find=nothing").text
    as_contributor.post(f"{page}/attachments", version_id=str(old), find="Newer")
    with acting("admin"):
        assert [each.version.id for each in attachment_queries.attached([request])] == [old]


def test_rejected_and_deleted_versions_are_neither_offered_nor_attached(
    as_contributor, as_officer, as_reviewer, open_request, acting
):
    page, *_ = open_request
    rejected, destroyed = (
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Rejected piece")),
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Destroyed piece")),
    )
    as_reviewer.post(
        f"evidence/versions/{rejected}/review",
        decision="rejected",
        reason="It is of another system",
    )
    keeping.request_deletion(as_officer, destroyed)
    keeping.approve_deletion(as_reviewer, destroyed)
    offered = as_contributor.get(f"{page}?find=piece").text
    for version, title in ((rejected, "Rejected"), (destroyed, "Destroyed")):
        assert f"{title} piece" not in offered
        assert (
            "Choose another."
            in as_contributor.post(f"{page}/attachments", version_id=str(version), then=422).text
        )
    as_contributor.post(f"{page}/attachments", version_id="nonsense", then=422)
    as_contributor.post(
        f"{page}/attachments",
        version_id=str(
            evidence_helpers.upload_version(evidence_helpers.create_evidence("Good piece"))
        ),
    )


def test_what_is_rejected_after_it_was_attached_is_not_handed_over(
    as_contributor, as_reviewer, open_request
):
    page, *_ = open_request
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence("Doubtful piece"))
    as_contributor.post(f"{page}/attachments", version_id=str(version))
    as_reviewer.post(
        f"evidence/versions/{version}/review",
        decision="rejected",
        reason="It is of another system",
    )
    assert (
        "EV-0001 version 1 was rejected"
        in engagement_helpers.change_request_state(as_contributor, page, "provide", then=422).text
    )


def test_a_framework_narrows_what_is_offered_but_not_what_the_tenant_may_give(
    as_contributor, acting, database
):
    with acting("compliance_officer"):
        soc2 = frameworks.framework("soc2-tsc-2017").id
    held = engagement_helpers.create_engagement("Narrow firm", framework_id=soc2)
    page = f"engagements/{held}/requests/{engagement_helpers.create_request(held)}"
    outside = evidence_helpers.upload_version(evidence_helpers.create_evidence("Outside piece"))
    assert (
        "Outside piece" not in as_contributor.get(page).text
        and "Outside piece" in as_contributor.get(f"{page}?find=outside").text
    )
    as_contributor.post(f"{page}/attachments", version_id=str(outside))
    control = evidence_helpers.create_control("SEC-77", "In scope")
    inside = evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Inside piece", supports=[control])
    )
    with acting("compliance_officer"):
        requirement = next(r for r in frameworks.requirements(soc2) if r.assessable)
        mapping_actions.map_to(find_control(control, lock=True), requirement.id, coverage="full")
    assert "Inside piece" in as_contributor.get(page).text
    as_contributor.post(f"{page}/attachments", version_id=str(inside))


def test_what_was_provided_is_frozen_in_the_page_and_in_the_database(
    as_contributor, acting, open_request
):
    page, engagement, request = open_request
    attachment = engagement_helpers.attach_version(
        engagement, request, evidence_helpers.upload_version(evidence_helpers.create_evidence())
    )
    engagement_helpers.provide_request(engagement, request)
    as_contributor.post(f"{page}/attachments/{attachment}/remove", then=409)
    for change in (
        "DELETE FROM request_attachments WHERE id = :id",
        "UPDATE request_attachments SET provided_at = now() WHERE id = :id",
    ):
        with (
            acting("admin"),
            pytest.raises((InternalError, ProgrammingError), match="stays as it is"),
            session().begin_nested(),
        ):
            session().execute(text(change), {"id": attachment})


def test_a_newer_version_of_the_evidence_changes_nothing_of_what_was_provided(
    as_auditor, acting, open_request
):
    page, engagement, request = open_request
    piece = evidence_helpers.create_evidence("Backups")
    engagement_helpers.attach_version(engagement, request, evidence_helpers.upload_version(piece))
    engagement_helpers.provide_request(engagement, request)
    evidence_helpers.upload_version(piece, evidence_helpers.PDF + b"newer")
    with acting("admin"):
        assert [each.version.number for each in attachment_queries.attached([request])] == [1]
    assert "version 1" in as_auditor.get(page).text and "version 2" not in as_auditor.get(page).text


def test_what_is_not_provided_yet_can_be_taken_off(as_contributor, acting, open_request):
    page, engagement, request = open_request
    attachment = engagement_helpers.attach_version(
        engagement, request, evidence_helpers.upload_version(evidence_helpers.create_evidence())
    )
    as_contributor.post(f"{page}/attachments/{attachment}/remove")
    with acting("admin"):
        assert attachment_queries.attached([request]) == []


def test_providing_nothing_and_returning_without_a_reason_are_refused(
    as_contributor, as_auditor, acting, open_request
):
    page, *_, request = open_request
    assert (
        "Attach evidence or write a comment"
        in engagement_helpers.change_request_state(as_contributor, page, "provide", then=422).text
    )
    engagement_helpers.change_request_state(
        as_contributor, page, "provide", text="It is answered in the interview of Monday"
    )
    assert (
        "Describe what is missing"
        in engagement_helpers.change_request_state(
            as_auditor, page, "return", text=" ", then=422
        ).text
    )
    assert request_state(acting, request) == "provided"


def test_a_response_that_changed_since_the_page_was_opened_is_not_decided(
    as_auditor, as_contributor, as_officer, acting, open_request
):
    page, engagement, request = open_request
    engagement_helpers.attach_version(
        engagement,
        request,
        evidence_helpers.upload_version(evidence_helpers.create_evidence("First")),
    )
    engagement_helpers.provide_request(engagement, request)
    old = engagement_helpers.version_on_page(as_auditor, page)
    engagement_helpers.change_request_state(as_auditor, page, "return", text="July is missing")
    seen = engagement_helpers.version_on_page(as_contributor, page)
    engagement_helpers.attach_version(
        engagement,
        request,
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Second")),
        by="compliance_officer",
    )
    refused = as_contributor.post(f"{page}/provide", text="My words", version=seen, then=409).text
    assert (
        "evidence was attached" in refused
        and "My words</textarea>" in refused
        and f'name="version" value="{int(seen) + 1}"' in refused
    )
    engagement_helpers.provide_request(engagement, request)
    for verb in ("accept", "return"):
        refused = as_auditor.post(f"{page}/{verb}", text="Seen in June", version=old, then=409).text
        assert (
            "the response was returned, then a response was provided" in refused
            and "was attached" not in refused
            and "Seen in June</textarea>" in refused
        )
    as_auditor.post(f"{page}/accept", then=409)
    as_auditor.post(f"{page}/say", text="A word needs no version")
    assert request_state(acting, request) == "provided"
    as_officer.post(f"{page}/owner", version=old, then=409)
    as_officer.post(f"{page}/owner", version=engagement_helpers.version_on_page(as_officer, page))
    engagement_helpers.change_request_state(as_auditor, page, "accept")


def test_the_auditors_history_tells_nothing_of_what_is_being_prepared(
    as_auditor, as_contributor, open_request
):
    page, engagement, request = open_request
    taken_off = engagement_helpers.attach_version(
        engagement,
        request,
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Taken off")),
    )
    as_contributor.post(f"{page}/attachments/{taken_off}/remove")
    engagement_helpers.attach_version(
        engagement,
        request,
        evidence_helpers.upload_version(evidence_helpers.create_evidence("Given")),
    )
    for words in (
        "attached evidence to an audit request",
        "removed evidence from an audit request",
    ):
        assert words in as_contributor.get(page).text
        assert words not in as_auditor.get(page).text
    engagement_helpers.provide_request(engagement, request)
    assert "provided evidence for an audit request" in as_auditor.get(page).text


def test_each_side_has_its_own_verbs(
    as_contributor, as_officer, as_auditor, as_viewer, open_request
):
    page, *_ = open_request
    as_contributor.post(f"{page}/accept", then=403)
    as_officer.post(f"{page}/return", text="x", then=403)
    as_auditor.post(f"{page}/provide", text="x", then=403)
    as_auditor.post(f"{page}/owner", then=403)
    as_viewer.get(page, then=403)


def test_only_provided_responses_are_reviewed_and_accepted_ones_stay(
    as_auditor, as_contributor, open_request
):
    page, *_ = open_request
    assert (
        "no response to review"
        in engagement_helpers.change_request_state(as_auditor, page, "accept", then=422).text
    )
    engagement_helpers.change_request_state(as_contributor, page, "provide", text="Said in words")
    engagement_helpers.change_request_state(as_auditor, page, "accept")
    assert (
        "accepted"
        in engagement_helpers.change_request_state(
            as_contributor, page, "provide", text="again", then=422
        ).text
    )


def test_a_contributor_responds_to_their_own_requests_and_an_officer_to_all(
    as_contributor, as_officer, acting, database
):
    engagement = engagement_helpers.world_engagement()
    page = f"engagements/{engagement}/requests/{engagement_helpers.create_request(engagement, owner=None)}"
    engagement_helpers.change_request_state(as_contributor, page, "provide", text="x", then=403)
    engagement_helpers.change_request_state(as_officer, page, "provide", text="In words")


def test_both_sides_write_in_the_thread_and_the_auditor_sees_pseudonyms(
    as_auditor, as_contributor, acting, open_request
):
    page, _engagement, request = open_request
    as_auditor.post(f"{page}/say", text="Which system is it from?")
    as_contributor.post(f"{page}/say", text="<b>The directory</b>")
    shown = as_auditor.get(page).text
    assert "&lt;b&gt;The directory" in shown and "Anna Rossi" not in shown
    assert "Anna Rossi" in as_contributor.get(page).text
    assert [kind for kind, _ in remarks_of(acting, request)] == ["comment", "comment"]
    as_auditor.post(f"{page}/say", text="  ", then=422)


def test_requests_are_added_by_hand_by_both_sides_and_numbered(
    as_auditor, as_officer, as_contributor, acting, database
):
    engagement = engagement_helpers.world_engagement()
    page = f"engagements/{engagement}/requests"
    as_officer.post(
        f"{page}/new", title="Access reviews", criteria="CC6.2, CC6.3", due_on="2026-12-01"
    )
    as_auditor.post(f"{page}/new", title="Change tickets", ref="H-17")
    as_contributor.post(f"{page}/new", title="Mine", then=403)
    assert (
        "already in the list"
        in as_officer.post(f"{page}/new", title="Twice", ref="H-17", then=422).text
    )
    as_officer.post(f"{page}/new", title="", then=422)
    with acting("admin"):
        rows = request_queries.every_request(engagement)
        assert [(r.ref, r.criteria) for r in rows] == [
            ("H-17", []),
            ("PBC-001", ["CC6.2", "CC6.3"]),
        ]


def test_the_list_is_filtered_paged_and_exported(as_officer, acting, database):
    engagement = engagement_helpers.world_engagement()
    for number in range(53):
        engagement_helpers.create_request(
            engagement, f"Request number {number}", owner="contributor" if number % 2 else None
        )
    page = f"engagements/{engagement}/requests"
    first = as_officer.get(page)
    assert "50 shown" in first.text and 'rel="next"' in first.text
    assert "1 shown" in as_officer.get(f"{page}?q=PBC-041").text
    assert "No requests match" in as_officer.get(f"{page}?state=accepted").text
    lines = list(
        csv.reader(
            io.StringIO(as_officer.get(f"engagements/{engagement}/requests.csv?q=number").text)
        )
    )
    assert len(lines) == 54


def add_requests(acting, engagement, count, **facts):
    """Add many requests at once, as an imported list does."""
    with acting("admin"):
        now, held = clock.now(), queries.engagement(engagement)
        base = {
            "tenant_id": held.tenant_id,
            "engagement_id": held.id,
            "detail": "",
            "criteria": [],
            "due_on": None,
            "owner_id": None,
            "state": "open",
            "state_since": now,
            "requested_by": None,
            "row": None,
            "version": 1,
            "created_at": now,
        } | facts
        rows = [base | {"id": uuid7(), "ref": f"R{n:05}", "title": f"=1+{n}"} for n in range(count)]
        session().execute(insert(AuditRequest), rows)


@contextmanager
def count_loads(kind):
    """Yield a function that counts the rows of a class loaded into memory."""
    seen = []

    def note(*_about):
        seen.append(1)

    event.listen(kind, "load", note)
    event.listen(kind, "refresh", note)
    yield seen
    event.remove(kind, "load", note)
    event.remove(kind, "refresh", note)


def test_a_long_list_costs_a_page_what_it_shows_and_is_exported_whole(
    as_officer, as_contributor, acting, database
):
    engagement = engagement_helpers.world_engagement()
    add_requests(acting, engagement, 1100, owner_id=make.person_id("contributor"))
    with count_loads(AuditRequest) as seen:
        as_officer.get(f"engagements/{engagement}")
    assert len(seen) <= 8
    with count_loads(AuditRequest) as seen:
        first = as_contributor.get("engagements/requests").text
    assert (
        len(seen) <= 51
        and re.search("1.?100 requests need you", first)
        and re.search("50 of 1.?100 shown", first)
    )
    onward = re.search(r'href="([^"]+)"\s+rel="next"', first)[1]
    assert "R00050" in as_contributor.get(onward).text and "R00050" not in first
    lines = list(
        csv.reader(io.StringIO(as_officer.get(f"engagements/{engagement}/requests.csv").text))
    )
    assert [line[0] for line in lines[1:]] == [f"R{n:05}" for n in range(1100)]
    assert {line[1][:3] for line in lines[1:]} == {"'=1"}, "no cell is a formula"


def test_a_long_thread_shows_its_newest_comments_and_leads_to_the_earlier_ones(
    as_auditor, acting, open_request
):
    page, _engagement, request = open_request
    with acting("admin"):
        now = clock.now()
        base = {
            "tenant_id": current.actor().tenant_id,
            "request_id": request,
            "kind": "comment",
            "written_by": None,
            "created_at": now,
        }
        rows = [
            base | {"id": uuid7(), "text": f"word {n:03}", "written_at": now + timedelta(seconds=n)}
            for n in range(120)
        ]
        session().execute(insert(RequestRemark), rows)
    shown = as_auditor.get(page).text
    assert "word 119" in shown and "word 020" in shown and "word 019" not in shown
    earlier = as_auditor.get(re.search(r'href="([^"]+)">Show earlier comments', shown)[1]).text
    assert "word 000" in earlier and "word 019" in earlier and "word 020" not in earlier


def test_waits_for_both_sides(as_contributor, as_officer, as_auditor, open_request):
    page, engagement, request = open_request
    assert "List of members" in as_contributor.get("engagements/requests").text
    assert "No requests need you" in as_officer.get("engagements/requests").text
    assert "No requests need you" in as_auditor.get("engagements/requests").text
    engagement_helpers.provide_request(engagement, request, said="in words")
    assert "No requests need you" in as_contributor.get("engagements/requests").text
    assert "List of members" in as_auditor.get("engagements/requests").text


def test_an_auditor_of_one_engagement_finds_nothing_of_another(as_auditor, acting, database):
    other = engagement_helpers.create_engagement("Another firm")
    request = engagement_helpers.create_request(other, owner=None)
    mine = engagement_helpers.world_engagement()
    for address in (
        f"engagements/{other}",
        f"engagements/{other}/requests",
        f"engagements/{other}/requests/{request}",
        f"engagements/{mine}/requests/{request}",
        f"engagements/{other}/requests.csv",
        f"engagements/{other}/imports/new",
    ):
        as_auditor.get(address, then=404)
    for verb in ("say", "accept", "return"):
        as_auditor.post(f"engagements/{mine}/requests/{request}/{verb}", text="x", then=404)
    as_auditor.post(f"engagements/{other}/packages", then=404)
    assert "Another firm" not in as_auditor.get("engagements/").text


def test_another_tenant_finds_nothing(as_stranger, open_request):
    page, engagement, _request = open_request
    as_stranger.get(f"engagements/{engagement}", then=404)
    as_stranger.get(page, then=404)


def test_nothing_is_answered_once_the_engagement_is_over(as_contributor, open_request):
    page, engagement, _request = open_request
    engagement_helpers.end_engagement(engagement)
    assert (
        "can no longer be changed" in as_contributor.post(f"{page}/say", text="late", then=422).text
    )


# ---- read-only during the fieldwork


def test_where_the_tenant_wants_it_evidence_and_controls_stay_as_they_are(
    as_officer, as_contributor, acting, database
):
    piece, control = evidence_helpers.create_evidence(), evidence_helpers.create_control()
    version = evidence_helpers.upload_version(piece)
    engagement_helpers.create_engagement("Still firm", freezes_changes=True)
    refused = as_contributor.post(
        f"evidence/{piece}/versions/new",
        then=422,
        **evidence_helpers.version_form(b"%PDF-1.7\n" + b"y" * 900),
    )
    assert "(Still firm)" in refused.text and "read-only until the end of" in refused.text
    as_officer.post(f"controls/{control}/retire", reason="old", then=None)
    as_officer.get(f"evidence/{piece}")
    as_officer.post(f"evidence/versions/{version}/download", then=200)
    with acting("admin"):
        assert find_control(control).retired_at is None


def test_requests_are_answered_all_the_same_and_after_the_fieldwork_all_is_as_before(
    as_contributor, acting, database
):
    piece = evidence_helpers.create_evidence()
    version = evidence_helpers.upload_version(piece)
    held = engagement_helpers.create_engagement("Still firm", freezes_changes=True)
    asked = engagement_helpers.create_request(held)
    page = f"engagements/{held}/requests/{asked}"
    as_contributor.post(f"{page}/attachments", version_id=str(version))
    engagement_helpers.change_request_state(as_contributor, page, "provide")
    engagement_helpers.end_engagement(held)
    as_contributor.post(
        f"evidence/{piece}/versions/new",
        **evidence_helpers.version_form(b"%PDF-1.7\n" + b"y" * 900),
    )
    with acting("admin"):
        [provided] = attachment_queries.attached([asked], provided_only=True)
        assert provided.version.id == version
        of_item = select(EvidenceVersion.number).where(EvidenceVersion.evidence_id == piece)
        assert sorted(session().scalars(of_item)) == [1, 2]


def test_the_pages_are_for_those_they_are_for(
    app, as_officer, as_contributor, as_auditor, as_viewer, open_request
):
    _page, engagement, _request = open_request
    for who in (as_officer, as_contributor, as_auditor):
        who.get("engagements/")
        who.get(f"engagements/{engagement}")
    as_viewer.get("engagements/", then=403)
    for address in (
        "engagements/new",
        f"engagements/{engagement}/edit",
        f"engagements/{engagement}/end",
    ):
        as_officer.get(address)
        as_contributor.get(address, then=403)
        as_auditor.get(address, then=403)
    assert make.FIRM.replace("&", "&amp;") in visitor(app, "auditor").get("engagements/").text


def test_an_engagement_is_opened_changed_and_ended_by_hand(as_officer, acting, database):
    sent = {
        "firm": "Hand Audit",
        "period_from": "2026-01-01",
        "period_to": "2026-06-30",
        "fieldwork_from": "2026-07-01",
        "fieldwork_to": "2026-07-31",
    }
    page = as_officer.post("engagements/new", **sent).location
    as_officer.post(f"{page}/edit", then=409, version="7", **sent)
    as_officer.post(f"{page}/edit", version="1", **(sent | {"fieldwork_to": "2027-07-31"}))
    as_officer.post(
        f"{page}/edit", then=422, version="2", **(sent | {"fieldwork_to": "2026-06-01"})
    )
    as_officer.post(f"{page}/edit", then=422, version="2", **(sent | {"period_to": "2025-06-01"}))
    as_officer.post("engagements/new", then=422, **(sent | {"firm": ""}))
    as_officer.post("engagements/new", then=422, **(sent | {"criteria": "CC6.1"}))
    as_officer.post(f"{page}/end", then=422, reason=" ")
    as_officer.post(f"{page}/end", reason="The firm merged")
    assert "Ended" in as_officer.get(page).text
