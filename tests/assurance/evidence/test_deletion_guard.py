"""Deletion of evidence files: holds, retention, two people, and the tombstone that stays."""

import hashlib
import os
import threading
from datetime import date, timedelta

import psycopg
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, select

from governance.assurance.evidence import (
    deletion,
    deletion_queries,
    version_actions,
)
from governance.assurance.evidence import queries as evidence_queries
from governance.assurance.evidence.models import EvidenceDeletion, EvidenceVersion
from governance.assurance.evidence.retention import MAX_MONTHS, MIN_MONTHS, kept_until
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data import db
from governance.kernel.data.db import session
from governance.kernel.errors import Stale
from governance.kernel.files import storage
from governance.kernel.work import jobs as queue
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.deletion_helpers import (
    approve_deletion,
    count_deletion_rows,
    deletion_approval_path,
    request_deletion,
    run_nightly_cleanup,
    storage_key_of,
)
from tests.assurance.evidence.evidence_helpers import PDF, count_rows, entries_of_action
from tests.foundation.approvals.approval_helpers import decide_approval
from tests.waiting import MAX_WAIT_SECONDS

SHA = hashlib.sha256(PDF).hexdigest()


def test_two_persons_destroy_a_file_and_its_tombstone_stays(as_officer, as_reviewer, as_viewer):
    e = evidence_helpers.create_evidence()
    v = evidence_helpers.upload_version(e)
    evidence_helpers.accept_version(v, by="compliance_officer")
    assert "Fresh" in as_viewer.get(f"evidence/{e}").text
    request_deletion(as_officer, v)
    assert (
        "Files to be deleted" in as_officer.get("evidence/inbox").text
        and "Deletion awaits approval" in as_officer.get(f"evidence/{e}").text
    )
    assert (
        "Delete permanently" not in as_officer.get(deletion_approval_path(v)).text
        and "Delete permanently" in as_reviewer.get(deletion_approval_path(v)).text
    )
    history = as_reviewer.get(deletion_approval_path(v)).text.partition('id="history"')[2]
    assert (
        "requested the permanent deletion of an evidence file" in history
        and "accepted an evidence version" not in history
    )
    approve_deletion(as_officer, v, then=403)
    assert as_reviewer.get(f"evidence/versions/{v}/deletion", then=303).location.endswith(
        deletion_approval_path(v)
    )
    approve_deletion(as_reviewer, v)
    queue.drain(actor_of)
    with make.acting():
        assert not storage.store().exists(storage_key_of(v))
    page = as_reviewer.get(f"evidence/versions/{v}/deletion").text
    assert (
        SHA in page
        and "was deleted permanently" in page
        and "Ines Duarte" in page
        and "Jun Chen" in page
        and "who objected" in page
    )
    piece = as_viewer.get(f"evidence/{e}").text
    assert (
        "Missing" in piece
        and "File deleted" in piece
        and SHA in piece
        and "Download version" not in piece
    )
    as_viewer.post(f"evidence/versions/{v}/download", then=410)
    assert (
        count_rows(EvidenceVersion) == 1
        and entries_of_action("evidence.version.deleted")[0].facts["sha256"] == SHA
    )
    again = evidence_helpers.upload_version(e)  # The same bytes may be uploaded again.
    with make.acting():
        assert storage.store().exists(storage_key_of(again))


@pytest.mark.parametrize(
    ("who", "status"),
    [("as_contributor", 403), ("as_viewer", 403), ("as_auditor", 403), ("as_stranger", 404)],
)
def test_nobody_else_destroys_holds_or_sets_retention(database, who, status, request):
    e = evidence_helpers.create_evidence()
    v = evidence_helpers.upload_version(e)
    visitor = request.getfixturevalue(who)
    visitor.post(f"evidence/versions/{v}/deletion", then=status, reason="x")
    visitor.post(f"evidence/{e}/hold", then=status, reason="x")
    visitor.post(
        "evidence/retention",
        then=status if status == 403 else None,
        kind="report",
        months="12",
        version="0",
    )
    assert count_rows(EvidenceDeletion) == 0


def test_what_is_asked_can_be_refused_or_taken_back_and_asked_again(as_officer, as_reviewer):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    assert (
        "Enter a reason"
        in as_officer.post(f"evidence/versions/{v}/deletion", then=422, reason=" ").text
    )
    request_deletion(as_officer, v)
    request_deletion(as_officer, v)
    assert count_rows(EvidenceDeletion) == 1
    assert (
        "Enter a reason"
        in decide_approval(
            as_reviewer, deletion_approval_path(v), 422, verb="reject", reason=""
        ).text
    )
    decide_approval(
        as_reviewer, deletion_approval_path(v), verb="reject", reason="It is needed until May."
    )
    request_deletion(as_officer, v)
    with make.acting(read_only=True):
        [_second] = (
            session()
            .scalars(select(EvidenceDeletion.id).where(EvidenceDeletion.state == "requested"))
            .all()
        )
    second = deletion_approval_path(v)
    decide_approval(as_reviewer, second, 403, verb="withdraw")
    decide_approval(as_officer, second, verb="withdraw")
    decide_approval(as_reviewer, second, 422, verb="burn")
    decide_approval(as_reviewer, second, 409, verb="approve", seen="x")
    with make.acting():
        assert storage.store().exists(storage_key_of(v))


def test_an_approval_is_bound_to_what_was_seen(as_officer, as_reviewer):
    v = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    request_deletion(as_officer, v)
    late = decide_approval(
        as_reviewer, deletion_approval_path(v), 409, verb="approve", seen="0" * 64
    )
    assert "has changed since you opened this page" in late.text


def test_the_same_bytes_of_another_piece_keep_the_file(as_officer, as_reviewer):
    first, other = (
        evidence_helpers.upload_version(evidence_helpers.create_evidence("A")),
        evidence_helpers.upload_version(evidence_helpers.create_evidence("B")),
    )
    assert storage_key_of(first) == storage_key_of(other)
    request_deletion(as_officer, first)
    assert (
        "1 other version has the same file" in as_reviewer.get(deletion_approval_path(first)).text
    )
    approve_deletion(as_reviewer, first)
    queue.drain(actor_of)
    as_officer.post(f"evidence/versions/{first}/download", then=410)
    assert as_officer.post(f"evidence/versions/{other}/download", then=200).data == PDF


def test_a_file_that_two_versions_share_stays_while_a_hold_stops_one_of_two_agreed_destructions(
    as_officer, as_reviewer
):
    """Keep the shared file: neither the other deletion's job nor the sweep removes it.

    Both deletions were approved before the hold.
    """
    held_piece = evidence_helpers.create_evidence("B")
    free, held = (
        evidence_helpers.upload_version(evidence_helpers.create_evidence("A")),
        evidence_helpers.upload_version(held_piece),
    )
    for each in (free, held):
        request_deletion(as_officer, each)
        approve_deletion(as_reviewer, each)
    as_officer.post(f"evidence/{held_piece}/hold", reason="Ordered by a court.")
    old = (clock.machine_now() - timedelta(hours=25)).timestamp()
    os.utime(storage.store().root / storage_key_of(held), (old, old))
    run_nightly_cleanup()
    queue.drain(actor_of)
    assert count_deletion_rows()[free] == "done"
    as_officer.post(f"evidence/versions/{free}/download", then=410)
    assert as_officer.post(f"evidence/versions/{held}/download", then=200).data == PDF


def test_the_last_of_two_versions_that_share_a_file_takes_it_along(as_officer, as_reviewer):
    both = (
        evidence_helpers.upload_version(evidence_helpers.create_evidence("A")),
        evidence_helpers.upload_version(evidence_helpers.create_evidence("B")),
    )
    for each in both:
        request_deletion(as_officer, each)
        approve_deletion(as_reviewer, each)
    queue.drain(actor_of)
    assert set(count_deletion_rows().values()) == {"done"} and not storage.store().exists(
        storage_key_of(both[0])
    )


# ---- holds


def test_a_hold_beats_two_persons_and_retention(as_officer, as_reviewer):
    e = evidence_helpers.create_evidence()
    v, w = (
        evidence_helpers.upload_version(e),
        evidence_helpers.upload_version(
            e, PDF + b"2", **evidence_helpers.version_dates(collected=800, covers=900, valid=-700)
        ),
    )
    request_deletion(as_officer, v)
    as_officer.get(f"evidence/{e}/hold")
    assert "Enter a reason" in as_officer.post(f"evidence/{e}/hold", then=422, reason="").text
    as_officer.post(f"evidence/{e}/hold", reason="Case 12, ordered by counsel.")
    as_officer.post(f"evidence/{e}/hold", reason="Twice is once.")
    assert len(entries_of_action("evidence.legal_hold.placed")) == 1
    assert "A legal hold applies" in as_reviewer.get(f"evidence/{e}").text
    assert "has been on legal hold since" in approve_deletion(as_reviewer, v, then=409).text
    blocked = as_officer.get(f"evidence/versions/{w}/deletion").text
    assert "has been on legal hold since" in blocked and "Request deletion" not in blocked
    assert (
        "has been on legal hold since"
        in as_officer.post(f"evidence/versions/{w}/deletion", then=422, reason="x").text
    )
    with make.acting("compliance_officer"):
        deletion.set_retention("report", 12, version=0)
    with make.acting():
        assert deletion.propose_by_retention() == 0
    as_officer.post(f"evidence/{e}/hold", verb="release", reason="The case is closed.")
    approve_deletion(as_reviewer, v)
    as_officer.post(f"evidence/{e}/hold", reason="Another case, before it was carried out.")
    queue.drain(actor_of)
    with make.acting():
        assert storage.store().exists(storage_key_of(v)), "the hold came before the hand"
    assert entries_of_action("evidence.deletion.blocked")


# ---- retention


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(MIN_MONTHS, MAX_MONTHS))
def test_a_file_is_kept_for_whole_months_and_never_longer_than_asked(day, months):
    until = kept_until(day, months)
    assert until.day <= day.day and (until.year - day.year) * 12 + until.month - day.month == months
    assert until.day == day.day or (until + timedelta(days=1)).day == 1
    assert kept_until(day, None) is None


def test_retention_proposes_and_a_second_person_destroys(as_officer, as_reviewer):
    e = evidence_helpers.create_evidence()
    today = clock.today()
    old = evidence_helpers.upload_version(
        e, **evidence_helpers.version_dates(collected=800, covers=900, valid=-700)
    )
    kept = evidence_helpers.upload_version(e, PDF + b"new")
    as_officer.get("evidence/retention")
    as_officer.post("evidence/retention", kind="report", months="12", version="0")
    assert "12 months after validity ends" in as_officer.get("evidence/retention").text
    run_nightly_cleanup()
    run_nightly_cleanup()
    assert count_rows(EvidenceDeletion) == 1 and today
    assert "by the retention rule" in as_reviewer.get("evidence/inbox").text
    # The person who set the rule counts as the requester.
    approve_deletion(as_officer, old, then=403)
    approve_deletion(as_reviewer, old)
    queue.drain(actor_of)
    with make.acting():
        assert not storage.store().exists(storage_key_of(old)) and storage.store().exists(
            storage_key_of(kept)
        )


def test_after_the_hold_that_stopped_it_retention_proposes_it_again_and_after_a_refusal_it_does_not(
    as_officer, as_reviewer
):
    e = evidence_helpers.create_evidence()
    old = evidence_helpers.upload_version(
        e, **evidence_helpers.version_dates(collected=800, covers=900, valid=-700)
    )
    as_officer.post("evidence/retention", kind="report", months="12", version="0")
    run_nightly_cleanup()
    approve_deletion(as_reviewer, old)
    as_officer.post(f"evidence/{e}/hold", reason="Ordered by a court.")
    queue.drain(actor_of)
    run_nightly_cleanup()
    assert count_deletion_rows() == {old: "stopped"}
    as_officer.post(f"evidence/{e}/hold", verb="release", reason="The case is closed.")
    run_nightly_cleanup()
    run_nightly_cleanup()
    assert (
        count_rows(EvidenceDeletion) == 2
        and "Files to be deleted" in as_reviewer.get("evidence/inbox").text
    )
    decide_approval(
        as_reviewer, deletion_approval_path(old), verb="reject", reason="We want it for longer."
    )
    run_nightly_cleanup()
    assert count_rows(EvidenceDeletion) == 2


@pytest.mark.parametrize("months", ["11", "181", "-1", "soon", "99999999999"])
def test_a_retention_that_makes_no_sense_is_refused(as_officer, months):
    reply = as_officer.post(
        "evidence/retention", then=422, kind="report", months=months, version="0"
    )
    assert "Not saved" in reply.text
    as_officer.post("evidence/retention", then=422, kind="spell", months="12", version="0")


def test_two_who_set_a_rule_at_once_are_told(as_officer, as_reviewer):
    as_officer.post("evidence/retention", kind="report", months="24", version="0")
    as_reviewer.post("evidence/retention", then=409, kind="report", months="36", version="0")
    as_reviewer.post("evidence/retention", kind="report", months="", version="1")
    with make.acting(read_only=True):
        assert deletion_queries.retention_rule("report").months is None


# ---- custody


def test_the_page_tells_who_had_it_in_hand_and_from_where(as_contributor, as_officer, as_auditor):
    e = evidence_helpers.create_evidence()
    as_contributor.post(f"evidence/{e}/versions/new", **evidence_helpers.version_form())
    with make.acting(read_only=True):
        v = session().scalar(select(EvidenceVersion.id))
    as_officer.post(f"evidence/versions/{v}/review", decision="accepted")
    as_auditor.post(f"evidence/versions/{v}/download", then=200)
    page = as_officer.get(f"evidence/{e}").text
    custody = page[page.index('id="custody"') : page.index("History")]
    for word in (
        "Collected",
        "Uploaded",
        "Accepted",
        "Downloaded",
        "Anna Rossi",
        "Ines Duarte",
        "127.0.0.0/24",
    ):
        assert word in custody
    assert "Only the latest" not in page
    page = as_auditor.get(f"evidence/{e}").text
    assert "Anna Rossi" not in page[page.index('id="custody"') : page.index("History")]


def test_custody_says_where_it_is_cut_and_where_the_rest_stands(as_officer, as_viewer):
    e = evidence_helpers.create_evidence()
    v = evidence_helpers.upload_version(e)
    with make.acting("compliance_officer"):
        for _ in range(200):
            version_actions.record_download(evidence_queries.find_version(v)[0]).close()
    page = as_officer.get(f"evidence/{e}").text
    assert "Only the latest 200 log entries are shown." in page
    [rest] = {
        link["href"]
        for link in BeautifulSoup(page, "html.parser").select("a[href*=EvidenceVersion]")
    }
    assert (
        "uploaded an evidence version" in as_officer.get(rest).text
        or "evidence.version.downloaded" in as_officer.get(rest).text
    )
    page = as_viewer.get(f"evidence/{e}").text
    assert "Only the latest 200" in page and rest not in page


@pytest.fixture
def concurrent_globex(server, settings, isolated):
    """Yield Globex with a connection pool for concurrent work.

    Its commits are removed afterwards.
    """
    pool = create_engine(settings.database_url, pool_size=4)
    db.connect(pool)
    yield
    pool.dispose()
    database = server.super_uri.replace(
        "/postgres?", f"/{make_url(settings.database_url).database}?"
    )
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute(
            "DELETE FROM evidence_retention WHERE tenant_id = (SELECT id FROM tenants WHERE slug ="
            " 'globex')"
        )


@pytest.mark.usefixtures("concurrent_globex")
def test_of_two_who_set_the_first_rule_of_a_kind_at_the_same_moment_one_is_told():
    start, ended = threading.Barrier(2), []

    def decide(months):
        try:
            with make.acting("admin", "globex"):
                assert deletion_queries.retention_rule("log") is None
                start.wait(MAX_WAIT_SECONDS)
                deletion.set_retention("log", months, version=0)
                session().flush()
            ended.append(months)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the person would be told
            ended.append(type(error))

    both = [threading.Thread(target=decide, args=(months,)) for months in (12, 24)]
    for one in both:
        one.start()
    for one in both:
        one.join(MAX_WAIT_SECONDS)
    assert Stale in ended and {12, 24} & set(ended), ended
