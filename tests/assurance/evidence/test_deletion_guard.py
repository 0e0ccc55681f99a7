"""What keeps a file of evidence, and what lets it go: holds, retention, two persons, and the tombstone that stays."""

import hashlib
import os
import threading
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, make_url, select

from governance.assurance.evidence import actions, deletion, jobs, queries
from governance.assurance.evidence.models import EvidenceDestruction, EvidenceVersion
from governance.assurance.evidence.retention import LEAST, MOST, kept_until
from governance.foundation.approvals.queries import open_approval
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock, current, db, storage
from governance.kernel import jobs as queue
from governance.kernel.db import session
from governance.kernel.errors import Stale
from tests import make
from tests.assurance.evidence import shelf
from tests.assurance.evidence.shelf import PDF
from tests.assurance.evidence.test_evidence import count, entries
from tests.foundation.approvals.deciding import decide

SHA = hashlib.sha256(PDF).hexdigest()


def key_of(version_id):
    with make.acting(read_only=True):
        return queries.version_of(version_id)[0].storage_key


def asked(version_id):
    with make.acting(read_only=True):
        return session().scalar(select(EvidenceDestruction.id).where(EvidenceDestruction.version_id == version_id))


def path(version_id):
    """Of the approval that is open about it."""
    with make.acting(read_only=True):
        found = queries.destruction_of(queries.version_of(version_id)[0], "asked")
        return f"approvals/{open_approval(queries.DESTRUCTION, found.id).id}"


def ask(visitor, v, because="It names a customer who objected."):
    visitor.get(f"evidence/versions/{v}/destruction", then=None)
    visitor.post(f"evidence/versions/{v}/destruction", because=because)


def tidy():
    """As each night, by the console."""
    with current.acting_as(make.founder("acme")):
        jobs.tidy()


def approve(visitor, v, then=303):
    return decide(visitor, path(v), then, verb="approve")


def test_two_persons_destroy_a_file_and_its_tombstone_stays(as_officer, as_reviewer, as_viewer):
    e = shelf.piece()
    v = shelf.version(e)
    shelf.accepted(v, by="compliance_officer")
    assert "Fresh" in as_viewer.get(f"evidence/{e}").text
    ask(as_officer, v)
    assert (
        "Files to be deleted" in as_officer.get("evidence/inbox").text
        and "Deletion awaits approval" in as_officer.get(f"evidence/{e}").text
    )
    assert "Delete permanently" not in as_officer.get(path(v)).text and "Delete permanently" in as_reviewer.get(path(v)).text
    history = as_reviewer.get(path(v)).text.partition('id="history"')[2]
    assert "requested the permanent deletion of an evidence file" in history and "accepted a version" not in history
    approve(as_officer, v, then=403)
    assert as_reviewer.get(f"evidence/versions/{v}/destruction", then=303).location.endswith(path(v))
    approve(as_reviewer, v)
    assert queue.drain(actor_of) == 1
    with make.acting():
        assert not storage.store().exists(key_of(v))
    page = as_reviewer.get(f"evidence/versions/{v}/destruction").text
    assert (
        SHA in page
        and "was deleted permanently" in page
        and "Ines Duarte" in page
        and "Jun Chen" in page
        and "who objected" in page
    )
    piece = as_viewer.get(f"evidence/{e}").text
    assert "Missing" in piece and "File destroyed" in piece and SHA in piece and "Download version" not in piece
    as_viewer.post(f"evidence/versions/{v}/download", then=410)
    assert count(EvidenceVersion) == 1 and entries("evidence.version.destroyed")[0].facts["sha256"] == SHA
    again = shelf.version(e)  # the same bytes may come in again
    with make.acting():
        assert storage.store().exists(key_of(again))


@pytest.mark.parametrize(
    ("who", "status"), [("as_contributor", 403), ("as_viewer", 403), ("as_auditor", 403), ("as_stranger", 404)]
)
def test_nobody_else_destroys_holds_or_sets_retention(database, who, status, request):
    e = shelf.piece()
    v = shelf.version(e)
    visitor = request.getfixturevalue(who)
    visitor.post(f"evidence/versions/{v}/destruction", then=status, because="x")
    visitor.post(f"evidence/{e}/hold", then=status, because="x")
    visitor.post("evidence/retention", then=status if status == 403 else None, kind="report", months="12", version="0")
    assert count(EvidenceDestruction) == 0


def test_what_is_asked_can_be_refused_or_taken_back_and_asked_again(as_officer, as_reviewer):
    v = shelf.version(shelf.piece())
    assert "Enter a reason" in as_officer.post(f"evidence/versions/{v}/destruction", then=422, because=" ").text
    ask(as_officer, v)
    ask(as_officer, v)
    assert count(EvidenceDestruction) == 1
    assert "Give a reason" in decide(as_reviewer, path(v), 422, verb="reject", reason="").text
    decide(as_reviewer, path(v), verb="reject", reason="It is needed until May.")
    ask(as_officer, v)
    with make.acting(read_only=True):
        [_second] = session().scalars(select(EvidenceDestruction.id).where(EvidenceDestruction.state == "asked")).all()
    second = path(v)
    decide(as_reviewer, second, 403, verb="withdraw")
    decide(as_officer, second, verb="withdraw")
    decide(as_reviewer, second, 422, verb="burn")
    decide(as_reviewer, second, 409, verb="approve", seen="x")
    with make.acting():
        assert storage.store().exists(key_of(v))


def test_an_approval_is_bound_to_what_was_seen(as_officer, as_reviewer):
    v = shelf.version(shelf.piece())
    ask(as_officer, v)
    late = decide(as_reviewer, path(v), 409, verb="approve", seen="0" * 64)
    assert "has changed since you opened this page" in late.text


def test_the_same_bytes_of_another_piece_keep_the_file(as_officer, as_reviewer):
    first, other = shelf.version(shelf.piece("A")), shelf.version(shelf.piece("B"))
    assert key_of(first) == key_of(other)
    ask(as_officer, first)
    assert "1 other version has the same bytes" in as_reviewer.get(path(first)).text
    approve(as_reviewer, first)
    queue.drain(actor_of)
    as_officer.post(f"evidence/versions/{first}/download", then=410)
    assert as_officer.post(f"evidence/versions/{other}/download", then=200).data == PDF


def destructions():
    with make.acting(read_only=True):
        rows = session().execute(select(EvidenceDestruction.version_id, EvidenceDestruction.state))
        return {row.version_id: row.state for row in rows}


def test_a_file_that_two_versions_share_stays_while_a_hold_stops_one_of_two_agreed_destructions(as_officer, as_reviewer):
    """Both are agreed on when the hold comes: the other one's job does not take the held one's file, nor does the sweep."""
    held_piece = shelf.piece("B")
    free, held = shelf.version(shelf.piece("A")), shelf.version(held_piece)
    for each in (free, held):
        ask(as_officer, each)
        approve(as_reviewer, each)
    as_officer.post(f"evidence/{held_piece}/hold", because="Ordered by a court.")
    old = (datetime.now(UTC) - timedelta(hours=25)).timestamp()
    os.utime(storage.store().root / key_of(held), (old, old))
    tidy()
    queue.drain(actor_of)
    assert destructions()[free] == "done"
    as_officer.post(f"evidence/versions/{free}/download", then=410)
    assert as_officer.post(f"evidence/versions/{held}/download", then=200).data == PDF


def test_the_last_of_two_versions_that_share_a_file_takes_it_along(as_officer, as_reviewer):
    both = shelf.version(shelf.piece("A")), shelf.version(shelf.piece("B"))
    for each in both:
        ask(as_officer, each)
        approve(as_reviewer, each)
    queue.drain(actor_of)
    assert set(destructions().values()) == {"done"} and not storage.store().exists(key_of(both[0]))


# ---- holds


def test_a_hold_beats_two_persons_and_retention(as_officer, as_reviewer):
    e = shelf.piece()
    v, w = shelf.version(e), shelf.version(e, PDF + b"2", **shelf.days(collected=800, covers=900, valid=-700))
    ask(as_officer, v)
    as_officer.get(f"evidence/{e}/hold")
    assert "Say why" in as_officer.post(f"evidence/{e}/hold", then=422, because="").text
    as_officer.post(f"evidence/{e}/hold", because="Case 12, ordered by counsel.")
    as_officer.post(f"evidence/{e}/hold", because="Twice is once.")
    assert len(entries("evidence.hold.placed")) == 1
    assert "A legal hold stands" in as_reviewer.get(f"evidence/{e}").text
    assert "A legal hold of" in approve(as_reviewer, v, then=409).text
    blocked = as_officer.get(f"evidence/versions/{w}/destruction").text
    assert "A legal hold of" in blocked and "Request deletion" not in blocked
    assert "A legal hold of" in as_officer.post(f"evidence/versions/{w}/destruction", then=422, because="x").text
    with make.acting("compliance_officer"):
        deletion.set_retention("report", 12, version=0)
    with make.acting():
        assert deletion.propose_by_retention() == 0
    as_officer.post(f"evidence/{e}/hold", verb="release", because="The case is closed.")
    approve(as_reviewer, v)
    as_officer.post(f"evidence/{e}/hold", because="Another case, before it was carried out.")
    queue.drain(actor_of)
    with make.acting():
        assert storage.store().exists(key_of(v)), "the hold came before the hand"
    assert entries("evidence.destruction.held")


# ---- retention


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.integers(LEAST, MOST))
def test_a_file_is_kept_for_whole_months_and_never_longer_than_asked(day, months):
    until = kept_until(day, months)
    assert until.day <= day.day and (until.year - day.year) * 12 + until.month - day.month == months
    assert until.day == day.day or (until + timedelta(days=1)).day == 1
    assert kept_until(day, None) is None


def test_retention_proposes_and_a_second_person_destroys(as_officer, as_reviewer):
    e = shelf.piece()
    today = clock.today()
    old = shelf.version(e, **shelf.days(collected=800, covers=900, valid=-700))
    kept = shelf.version(e, PDF + b"new")
    as_officer.get("evidence/retention")
    as_officer.post("evidence/retention", kind="report", months="12", version="0")
    assert "12 months after its validity" in as_officer.get("evidence/retention").text
    tidy()
    tidy()
    assert count(EvidenceDestruction) == 1 and today
    assert "by the retention rule" in as_reviewer.get("evidence/inbox").text
    approve(as_officer, old, then=403)  # who set the rule has asked by it
    approve(as_reviewer, old)
    queue.drain(actor_of)
    with make.acting():
        assert not storage.store().exists(key_of(old)) and storage.store().exists(key_of(kept))


def test_after_the_hold_that_stopped_it_retention_proposes_it_again_and_after_a_refusal_it_does_not(as_officer, as_reviewer):
    e = shelf.piece()
    old = shelf.version(e, **shelf.days(collected=800, covers=900, valid=-700))
    as_officer.post("evidence/retention", kind="report", months="12", version="0")
    tidy()
    approve(as_reviewer, old)
    as_officer.post(f"evidence/{e}/hold", because="Ordered by a court.")
    queue.drain(actor_of)
    tidy()
    assert destructions() == {old: "stopped"}
    as_officer.post(f"evidence/{e}/hold", verb="release", because="The case is closed.")
    tidy()
    tidy()
    assert count(EvidenceDestruction) == 2 and "Files to be deleted" in as_reviewer.get("evidence/inbox").text
    decide(as_reviewer, path(old), verb="reject", reason="We want it for longer.")
    tidy()
    assert count(EvidenceDestruction) == 2


@pytest.mark.parametrize("months", ["11", "181", "-1", "soon", "99999999999"])
def test_a_retention_that_makes_no_sense_is_refused(as_officer, months):
    reply = as_officer.post("evidence/retention", then=422, kind="report", months=months, version="0")
    assert "Not saved" in reply.text
    as_officer.post("evidence/retention", then=422, kind="spell", months="12", version="0")


def test_two_who_set_a_rule_at_once_are_told(as_officer, as_reviewer):
    as_officer.post("evidence/retention", kind="report", months="24", version="0")
    as_reviewer.post("evidence/retention", then=409, kind="report", months="36", version="0")
    as_reviewer.post("evidence/retention", kind="report", months="", version="1")
    with make.acting(read_only=True):
        assert queries.retention_rule("report").months is None


# ---- custody


def test_the_page_tells_who_had_it_in_hand_and_from_where(as_contributor, as_officer, as_auditor):
    e = shelf.piece()
    as_contributor.post(f"evidence/{e}/versions/new", **shelf.form())
    with make.acting(read_only=True):
        v = session().scalar(select(EvidenceVersion.id))
    as_officer.post(f"evidence/versions/{v}/review", decision="accepted")
    as_auditor.post(f"evidence/versions/{v}/download", then=200)
    page = as_officer.get(f"evidence/{e}").text
    custody = page[page.index('id="custody"') : page.index("History")]
    for word in ("Collected", "Brought in", "Accepted", "Downloaded", "Anna Rossi", "Ines Duarte", "127.0.0.0/24"):
        assert word in custody
    assert "Only the newest" not in page
    page = as_auditor.get(f"evidence/{e}").text
    assert "Anna Rossi" not in page[page.index('id="custody"') : page.index("History")]


def test_custody_says_where_it_is_cut_and_where_the_rest_stands(as_officer, as_viewer):
    e = shelf.piece()
    v = shelf.version(e)
    with make.acting("compliance_officer"):
        for _ in range(200):
            actions.take_out(queries.version_of(v)[0]).close()
    page = as_officer.get(f"evidence/{e}").text
    assert "Only the newest 200 entries of the log are told here." in page
    [rest] = {link["href"] for link in BeautifulSoup(page, "html.parser").select("a[href*=EvidenceVersion]")}
    assert "brought in a version" in as_officer.get(rest).text or "evidence.version.downloaded" in as_officer.get(rest).text
    page = as_viewer.get(f"evidence/{e}").text
    assert "Only the newest 200" in page and rest not in page


@pytest.fixture
def at_once(server, settings, isolated):
    """Globex over a pool of its own, where several are under way at once; what was committed is taken away again."""
    pool = create_engine(settings.database_url, pool_size=4)
    db.connect(pool)
    yield
    pool.dispose()
    database = server.super_uri.replace("/postgres?", f"/{make_url(settings.database_url).database}?")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM evidence_retention WHERE tenant_id = (SELECT id FROM tenants WHERE slug = 'globex')")


@pytest.mark.usefixtures("at_once")
def test_of_two_who_set_the_first_rule_of_a_kind_at_the_same_moment_one_is_told():
    start, ended = threading.Barrier(2), []

    def decide(months):
        try:
            with make.acting("admin", "globex"):
                assert queries.retention_rule("log") is None
                start.wait(60)
                deletion.set_retention("log", months, version=0)
                session().flush()
            ended.append(months)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what the person would be told
            ended.append(type(error))

    both = [threading.Thread(target=decide, args=(months,)) for months in (12, 24)]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert Stale in ended and {12, 24} & set(ended), ended
