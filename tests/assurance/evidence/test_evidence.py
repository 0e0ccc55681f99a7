"""Evidence through the front door: permissions, and every bad input that a form can carry."""

import hashlib
import io
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from governance.assurance.evidence import actions, version_actions
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.kernel import clock
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.evidence_helpers import PDF, count_rows, entries_of_action
from tests.bulk_helpers import confirm_bulk


def test_an_officer_begins_evidence_and_the_log_knows(as_officer):
    control = evidence_helpers.create_control()
    as_officer.get(f"evidence/new?control={control}")
    reply = as_officer.post(
        "evidence/new",
        title="Restore drill",
        kind="record",
        cadence="monthly",
        confidentiality="internal",
        controls=str(control),
        note="the record of it",
        owner_id=str(make.person_id("contributor")),
        follow=True,
    )
    assert (
        "EV-0001" in reply.text
        and "SEC-04" in reply.text
        and "the record of it" in reply.text
        and "Anna Rossi" in reply.text
    )
    (entry,) = entries_of_action("evidence.created")
    assert entry.facts["controls"] == ["SEC-04"]


@pytest.mark.parametrize("who", ["as_contributor", "as_viewer", "as_auditor"])
def test_others_may_look_and_not_begin(database, who, request):
    visitor = request.getfixturevalue(who)
    assert "Create evidence item" not in visitor.get("evidence/").text
    visitor.get("evidence/new", then=403)
    visitor.post(
        "evidence/new",
        then=403,
        title="x",
        kind="record",
        cadence="monthly",
        confidentiality="internal",
    )
    assert count_rows(Evidence) == 0


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "Enter a title."),
        ("kind", "spell", "choose an option from the list"),
        ("cadence", "never", "choose an option from the list"),
        ("controls", str(UUID(int=7)), "choose an option from the list"),
        ("owner_id", str(UUID(int=7)), "Choose a member of this tenant as owner."),
        ("due_on", "soon", "“soon” isn"),
    ],
)
def test_what_evidence_may_not_be(as_officer, field, value, says):
    form = {
        "title": "Restore drill",
        "kind": "record",
        "cadence": "monthly",
        "confidentiality": "internal",
    } | {field: value}
    reply = as_officer.post("evidence/new", then=422, **form)
    assert says in reply.text and "data-errors" in reply.text
    assert count_rows(Evidence) == 0


def test_sent_twice_it_is_begun_once(as_officer):
    form = {
        "title": "Restore drill",
        "kind": "record",
        "cadence": "monthly",
        "confidentiality": "internal",
    }
    as_officer.post("evidence/new", **form)
    assert (
        "EV-0001 already has this title" in as_officer.post("evidence/new", then=422, **form).text
    )
    assert count_rows(Evidence) == 1


# ---- versions


def test_the_owner_brings_in_a_file_and_another_person_accepts_it(as_contributor, as_officer):
    e = evidence_helpers.create_evidence()
    as_contributor.get(f"evidence/{e}/versions/new")
    page = as_contributor.post(
        f"evidence/{e}/versions/new", follow=True, **evidence_helpers.version_form()
    )
    assert (
        "Version 1 of EV-0001 was uploaded" in page.text
        and "In review" in page.text
        and hashlib.sha256(PDF).hexdigest() in page.text
    )
    assert 'aria-label="Review version' not in page.text
    inbox = as_officer.get("evidence/inbox")
    assert "1 version awaits review" in inbox.text
    for page in (inbox, as_officer.get("evidence/")):
        assert re.search(r"Inbox\s*<[^>]*>\s*1\b", page.text), "both pages count what waits"
    (where,) = set(re.findall(r"evidence/versions/[0-9a-f-]+/review", inbox.text))
    as_officer.get(where)
    page = as_officer.post(where, decision="accepted", reason="", follow=True)
    assert "No versions await review" in page.text
    assert "Fresh" in as_officer.get(f"evidence/{e}").text
    assert (
        entries_of_action("evidence.version.accepted")[0].facts["sha256"]
        == hashlib.sha256(PDF).hexdigest()
    )


@pytest.mark.parametrize(
    ("who", "status"), [("as_viewer", 403), ("as_auditor", 403), ("as_stranger", 404)]
)
def test_nobody_else_brings_versions_in(database, who, status, request):
    e = evidence_helpers.create_evidence()
    request.getfixturevalue(who).post(
        f"evidence/{e}/versions/new", then=status, **evidence_helpers.version_form()
    )
    assert count_rows(EvidenceVersion) == 0


def test_a_contributor_brings_in_only_what_is_theirs(as_contributor):
    e = evidence_helpers.create_evidence(owner="compliance_officer")
    assert "Upload version" not in as_contributor.get(f"evidence/{e}").text
    assert (
        "Only its owner, a tenant admin or a compliance officer can upload versions"
        in as_contributor.post(
            f"evidence/{e}/versions/new", then=403, **evidence_helpers.version_form()
        ).text
    )
    assert count_rows(EvidenceVersion) == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("report.pdf", b"", "0 bytes"),
        ("report.pdf", b"MZ\x90\0\x03", "is a program"),
        ("report.pdf", b"<html><script>", "can contain scripts"),
        (
            "report.pdf",
            b"\x89PNG\r\n\x1a\n...",
            "report.pdf ends in .pdf, but its content is a PNG image",
        ),
        ("drawing.svg", b"<svg onload=x>", "can contain scripts"),
        ("data.zip", b"PK\x05\x06" + b"\0" * 18, "not an Office file"),
    ],
)
def test_bad_files_are_refused_by_name(as_contributor, name, content, says):
    e = evidence_helpers.create_evidence()
    reply = as_contributor.post(
        f"evidence/{e}/versions/new", then=422, **evidence_helpers.version_form(content, name)
    )
    assert says in reply.text and str(clock.today()) in reply.text
    assert count_rows(EvidenceVersion) == 0


def test_a_file_that_is_too_large_is_refused(as_contributor, monkeypatch):
    e = evidence_helpers.create_evidence()
    monkeypatch.setattr(version_actions, "MAX_FILE_BYTES", 3 * 1024 * 1024)
    as_contributor.post(
        f"evidence/{e}/versions/new",
        then=413,
        **evidence_helpers.version_form(PDF + b"x" * (3 * 1024 * 1024)),
    )
    as_contributor.post(
        f"evidence/{e}/versions/new",
        then=413,
        **evidence_helpers.version_form(PDF + b"x" * (6 * 1024 * 1024)),
    )
    assert count_rows(EvidenceVersion) == 0


def test_only_the_upload_takes_more_than_the_usual_limit(as_contributor):
    e = evidence_helpers.create_evidence()
    large = PDF + b"x" * (13 * 1024 * 1024)
    as_contributor.post(f"evidence/{e}/owner", then=413, file=(io.BytesIO(large), "x.pdf"))
    as_contributor.post(f"evidence/{e}/versions/new", **evidence_helpers.version_form(large))
    assert count_rows(EvidenceVersion, EvidenceVersion.size == len(large)) == 1


@pytest.mark.parametrize(
    ("dates", "says"),
    [
        ({"collected_on": timedelta(2)}, "in the future"),
        ({"period_from": timedelta(1)}, "ends before it starts"),
        ({"valid_until": timedelta(-3)}, "on or after the end of the period"),
        ({"valid_until": timedelta(4000)}, "three years at most"),
        ({"collected_on": "yesterday"}, "“yesterday” isn"),
        ({"period_to": ""}, "Covers to: choose a date."),
        ({"period_from": "0001-01-01"}, "is before the year 2000"),
    ],
)
def test_dates_that_cannot_be(as_contributor, dates, says):
    e = evidence_helpers.create_evidence()
    dates = {
        field: clock.today() + day if isinstance(day, timedelta) else day
        for field, day in dates.items()
    }
    assert (
        says
        in as_contributor.post(
            f"evidence/{e}/versions/new", then=422, **evidence_helpers.version_form(**dates)
        ).text
    )
    assert count_rows(EvidenceVersion) == 0


def test_the_same_bytes_twice_are_refused_with_a_sentence(as_contributor):
    e, other = (
        evidence_helpers.create_evidence(),
        evidence_helpers.create_evidence("Scope of the test"),
    )
    as_contributor.post(f"evidence/{e}/versions/new", **evidence_helpers.version_form())
    again = as_contributor.post(
        f"evidence/{e}/versions/new", then=422, **evidence_helpers.version_form()
    )
    assert "This file is identical to version 1" in again.text
    as_contributor.post(f"evidence/{other}/versions/new", **evidence_helpers.version_form())
    assert count_rows(EvidenceVersion) == 2


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("https://tickets.example/TK-1", 303),
        ("http://tickets.example/1", 422),
        ("javascript:alert(1)", 422),
        ("https://", 422),
        ("https://a b.example/", 422),
        ("https://me:secret@tickets.example/", 422),
    ],
)
def test_a_link_is_https_and_names_a_server(as_contributor, url, status):
    e = evidence_helpers.create_evidence()
    as_contributor.post(
        f"evidence/{e}/versions/new", then=status, url=url, **evidence_helpers.version_form(None)
    )
    assert count_rows(EvidenceVersion) == (status == 303)
    if status == 303:
        assert "tickets.example" in as_contributor.get(f"evidence/{e}").text


def test_a_file_or_a_link_never_both_and_never_neither(as_contributor):
    e = evidence_helpers.create_evidence()
    assert (
        "either a file or a link"
        in as_contributor.post(
            f"evidence/{e}/versions/new",
            then=422,
            url="https://a.example/",
            **evidence_helpers.version_form(),
        ).text
    )
    assert (
        "Choose a file"
        in as_contributor.post(
            f"evidence/{e}/versions/new", then=422, **evidence_helpers.version_form(None)
        ).text
    )


# ---- review


def test_the_collector_never_reviews_their_own(as_officer, as_reviewer):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence(), by="compliance_officer")
    assert "You uploaded this version" in as_officer.get(f"evidence/versions/{v}/review").text
    as_officer.post(f"evidence/versions/{v}/review", then=403, decision="accepted")
    assert count_rows(EvidenceReview) == 0
    as_reviewer.post(f"evidence/versions/{v}/review", decision="accepted")


@pytest.mark.parametrize(
    ("who", "status"),
    [("as_contributor", 403), ("as_viewer", 403), ("as_auditor", 403), ("as_stranger", 404)],
)
def test_only_reviewers_review(database, who, status, request):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence(), by="compliance_officer")
    request.getfixturevalue(who).post(
        f"evidence/versions/{v}/review", then=status, decision="accepted"
    )
    assert count_rows(EvidenceReview) == 0


def test_rejecting_needs_a_reason_and_what_was_typed_stays(as_officer):
    e = evidence_helpers.create_evidence()
    v = evidence_helpers.upload_version(e)
    reply = as_officer.post(
        f"evidence/versions/{v}/review", then=422, decision="rejected", reason=" "
    )
    assert "Enter a reason, so the owner knows what to fix" in reply.text
    as_officer.post(
        f"evidence/versions/{v}/review", decision="rejected", reason="It is last year's."
    )
    page = as_officer.get(f"evidence/{e}")
    assert "It is last year&#39;s." in page.text and "Rejected" in page.text


def test_a_version_is_judged_once_and_the_second_reviewer_is_told(as_officer, as_reviewer):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    as_reviewer.get(f"evidence/versions/{v}/review")
    as_officer.post(f"evidence/versions/{v}/review", decision="accepted")
    late = as_reviewer.post(
        f"evidence/versions/{v}/review", then=409, decision="rejected", reason="no"
    )
    assert "Ines Duarte accepted version 1 of EV-0001" in late.text
    assert count_rows(EvidenceReview, EvidenceReview.decision == "accepted") == 1


# ---- download


def test_a_download_is_an_attachment_and_is_in_the_log(as_auditor, as_stranger):
    v = evidence_helpers.upload_version(
        evidence_helpers.create_evidence(), name="report, Q3 “final”.pdf"
    )
    reply = as_auditor.post(f"evidence/versions/{v}/download", then=200)
    assert reply.data == PDF
    assert (
        reply.headers["Content-Disposition"].startswith("attachment;")
        and reply.headers["X-Content-Type-Options"] == "nosniff"
    )
    assert reply.headers["Content-Type"] == "application/pdf"
    (entry,) = entries_of_action("evidence.version.downloaded")
    assert "Lowe" not in str((entry.actor, entry.facts, entry.sealed))
    as_stranger.post(f"evidence/versions/{v}/download", then=404)
    assert as_auditor.get(f"evidence/versions/{v}/download", then=None).status_code == 405


def test_auditors_see_pseudonyms_where_others_see_names(as_auditor, as_viewer):
    e = evidence_helpers.create_evidence(owner=None)
    evidence_helpers.accept_version(evidence_helpers.upload_version(e, by="compliance_officer"))
    assert "Ines Duarte" in as_viewer.get(f"evidence/{e}").text
    page = as_auditor.get(f"evidence/{e}").text
    assert (
        "Ines Duarte" not in page and "Jun Chen" not in page and re.search(r"Officer [A-Z]", page)
    )


# ---- related objects


def test_assigning_linking_unlinking_and_retiring(as_officer):
    control, e = evidence_helpers.create_control(), evidence_helpers.create_evidence(owner=None)
    as_officer.post(f"evidence/{e}/owner", owner_id=str(make.person_id("reviewer")))
    as_officer.post(f"evidence/{e}/links", control_id=str(control), note="each quarter")
    as_officer.post(f"evidence/{e}/links", control_id=str(control), note="each quarter")
    page = as_officer.get(f"evidence/{e}").text
    assert "Jun Chen" in page and "each quarter" in page
    assert count_rows(EvidenceLink) == 1 and len(entries_of_action("evidence.linked")) == 1
    for _ in range(2):
        as_officer.post(f"evidence/{e}/links/{control}/remove")
    assert (
        count_rows(EvidenceLink, EvidenceLink.removed_at.is_(None)) == 0
        and len(entries_of_action("evidence.unlinked")) == 1
    )
    assert count_rows(EvidenceLink) == 1  # Past days still show it.
    as_officer.get(f"evidence/{e}/retirement")
    assert "Enter a reason" in as_officer.post(f"evidence/{e}/retirement", then=422, reason="").text
    as_officer.post(f"evidence/{e}/retirement", reason="the tool is gone")
    assert (
        "was retired on"
        in as_officer.post(f"evidence/{e}/retirement", then=422, reason="again").text
    )
    assert "EV-0001" not in as_officer.get("evidence/").text
    assert "Retired" in as_officer.get(f"evidence/{e}").text


def test_owners_are_members_who_can_work(as_officer):
    e = evidence_helpers.create_evidence()
    for nobody in (
        make.person_id("viewer"),
        make.person_id("compliance_officer", "globex"),
        "nonsense",
    ):
        as_officer.post(f"evidence/{e}/owner", then=422, owner_id=str(nobody))
    assert count_rows(Evidence, Evidence.owner_id == make.person_id("contributor")) == 1


def test_a_bulk_action_leads_back_to_the_list_as_it_was_filtered(as_officer):
    a = evidence_helpers.create_evidence("A", None)
    who = str(make.person_id("contributor"))
    for back, home in (
        ("/t/acme/evidence/?state=missing", "/t/acme/evidence/?state=missing"),
        ("//evil.example/", "/t/acme/evidence/"),
    ):
        assert (
            confirm_bulk(
                as_officer, "evidence/assign", ids=[str(a)], owner_id=who, back=back
            ).location
            == home
        )
        as_officer.post(f"evidence/{a}/owner", owner_id="none")


def test_two_people_edit_and_nothing_is_lost(as_officer, as_reviewer):
    e = evidence_helpers.create_evidence()
    form = {
        "kind": "report",
        "cadence": "quarterly",
        "confidentiality": "internal",
        "due_on": "",
        "version": "1",
    }
    as_officer.get(f"evidence/{e}/edit")
    as_reviewer.post(f"evidence/{e}/edit", **form | {"title": "Theirs", "cadence": "monthly"})
    late = as_officer.post(f"evidence/{e}/edit", then=409, **form | {"title": "Mine"})
    assert 'value="Mine"' in late.text and "Theirs" in late.text and 'value="2"' in late.text
    as_officer.post(f"evidence/{e}/edit", **form | {"title": "Mine", "version": "2"})
    assert count_rows(Evidence, Evidence.title == "Mine") == 1


def test_another_tenants_ids_are_nothing_here(as_officer, as_stranger, as_neighbour):
    theirs, foreign = (
        evidence_helpers.create_evidence("Theirs", None, slug="globex"),
        evidence_helpers.create_control(owner=None, slug="globex"),
    )
    mine = evidence_helpers.create_evidence()
    for path in (
        f"evidence/{theirs}",
        f"evidence/{theirs}/edit",
        f"evidence/{theirs}/versions/new",
        f"evidence/{theirs}/retirement",
    ):
        as_officer.get(path, then=404)
    as_stranger.get(f"evidence/{mine}", then=404)
    as_officer.post(f"evidence/{mine}/links", then=422, control_id=str(foreign))
    as_officer.post(f"evidence/{theirs}/owner", then=404, owner_id="")
    reply = as_officer.post(
        "evidence/new",
        then=422,
        title="x",
        kind="record",
        cadence="monthly",
        confidentiality="internal",
        controls=str(foreign),
    )
    assert "choose an option from the list" in reply.text
    assert "Penetration" not in as_neighbour.get("evidence/").text


# ---- lists


def test_the_library_filters_sorts_pages_and_exports_what_is_filtered(as_officer):
    control = evidence_helpers.create_control()
    evidence_helpers.accept_version(
        evidence_helpers.upload_version(evidence_helpers.create_evidence(supports=[control]))
    )
    with make.acting():
        for n in range(60):
            actions.create_item(f"Record {n:02d}", kind="record", cadence="monthly")
    page = as_officer.get("evidence/").text
    assert "1 of 61 evidence items is fresh" in page and "50 of 61 evidence items" in page
    following = re.search(r'href="([^"]+)"\s+rel="next"', page)[1].replace("&amp;", "&")
    assert "11 of 61" in as_officer.get(following).text
    fresh = as_officer.get("evidence/?state=fresh").text
    assert (
        "Penetration test report" in fresh
        and "Record 01" not in fresh
        and "Remove the filter State" in fresh
    )
    assert "Record 07" in as_officer.get("evidence/?q=record+07").text
    assert "Penetration" in as_officer.get(f"evidence/?control={control}").text
    assert (
        "No evidence items match" in as_officer.get(f"evidence/?control={uuid4()}&state=fresh").text
    )
    assert "No evidence items match" in as_officer.get("evidence/?owner=nonsense").text
    as_officer.get("evidence/?sort=-deadline")
    as_officer.get("evidence/?sort=password", then=422)
    rows = as_officer.get("evidence/export.csv?state=fresh").text.splitlines()
    assert len(rows) == 2 and "EV-0001" in rows[1] and "SEC-04" in rows[1]
    assert as_officer.get("evidence/export.xlsx").data.startswith(b"PK")


def test_a_list_costs_the_same_whatever_its_length(as_officer, acting):
    from governance.assurance.evidence import queries, review_queue

    control = evidence_helpers.create_control()
    with acting():
        for n in range(30):
            actions.create_item(
                f"Record {n:02d}", kind="record", cadence="monthly", controls={control: ""}
            )
    with acting(read_only=True):
        assert queries.library().matching == 30
    with acting(read_only=True):
        review_queue.queue_page({})
        review_queue.late_evidence(most=10)


def test_an_export_is_read_batch_by_batch_while_it_goes_out(as_officer, monkeypatch, statements):
    from governance.assurance.evidence import library_views

    monkeypatch.setattr(library_views, "EXPORT_BATCH", 7)
    with make.acting():
        for n in range(20):
            actions.create_item(f"Record {n:02d}", kind="record", cadence="monthly")
    with statements() as seen:
        reply = as_officer.client.get(
            as_officer.at("evidence/export.csv?sort=-title"), buffered=False
        )
        assert reply.is_streamed
        before, lines = len(seen), reply.text.splitlines()
    assert [line.split(",")[1] for line in lines[1:]] == [
        f"Record {n:02d}" for n in reversed(range(20))
    ]
    assert len(seen) - before >= 3
    assert as_officer.get("evidence/export.xlsx?sort=-title").data.startswith(b"PK")


@pytest.mark.parametrize(
    "path", ["evidence/", "evidence/?state=missing&sort=-owner", "evidence/inbox"]
)
def test_a_page_costs_the_same_whatever_there_is(as_officer, statements, path):
    def cost():
        with statements() as seen:
            as_officer.get(path)
        return len(seen)

    with make.acting():
        actions.create_item("Record", kind="record", cadence="monthly")
    as_officer.get(path)
    one = cost()
    with make.acting():
        for n in range(60):
            actions.create_item(f"Record {n:02d}", kind="record", cadence="monthly")
    assert cost() == one


def test_empty_states_say_why(as_officer, as_viewer):
    assert "No evidence yet" in as_officer.get("evidence/").text
    assert "Create evidence item" not in as_viewer.get("evidence/").text
    assert "No versions await review" in as_viewer.get("evidence/inbox").text
