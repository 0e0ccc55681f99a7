"""What auditors look at stays: files that they were given, and all evidence where the tenant wants it; the console files on."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from governance.assurance.access_reviews import queries as reviews
from governance.assurance.evidence import deletion
from governance.assurance.evidence.models import EvidenceDestruction
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock, storage
from governance.kernel import jobs as queue
from governance.kernel.db import session
from governance.kernel.errors import DomainError
from tests import make
from tests.assurance.access_reviews.test_reviews import all_but_own, begun, close
from tests.assurance.collectors.runs import last
from tests.assurance.engagements import field
from tests.assurance.evidence import shelf
from tests.assurance.evidence.shelf import PDF
from tests.assurance.evidence.test_deletion_guard import approve, ask, destructions, key_of, path, tidy
from tests.assurance.evidence.test_evidence import entries
from tests.conftest import visitor


@pytest.fixture
def given(database):
    """(engagement, version that its auditors were given)"""
    held = field.engagement(auditor="auditor", period_from=clock.today() - timedelta(days=1000))
    version = shelf.version(shelf.piece("Restore drill"), **shelf.days(collected=800, covers=900, valid=-700))
    asked = field.request(held)
    field.attached(held, asked, version)
    return held, asked, version


# ---- files that auditors were given


def test_what_auditors_were_given_is_destroyed_neither_by_two_persons_nor_by_retention(
    as_officer, as_reviewer, as_auditor, given
):
    held, asked, version = given
    field.provided(held, asked)
    refused = as_officer.post(f"evidence/versions/{version}/destruction", then=422, because="It is old.")
    assert "Brook Audit was given it in" in refused.text and "which is not over" in refused.text
    as_officer.post("evidence/retention", kind="report", months="12", version="0")
    tidy()
    assert destructions() == {}
    as_auditor.post(f"evidence/versions/{version}/download", then=200)
    field.end(held)
    tidy()
    assert destructions() == {version: "asked"}
    approve(as_reviewer, version)
    queue.drain(actor_of)
    assert destructions() == {version: "done"}


def test_what_is_agreed_to_be_destroyed_cannot_be_given(as_officer, as_reviewer, given):
    held, asked, version = given
    ask(as_officer, version)
    approve(as_reviewer, version)
    with pytest.raises(DomainError, match="Take it off, and attach another"):
        field.provided(held, asked)
    queue.drain(actor_of)
    assert destructions() == {version: "done"}


def test_what_was_given_at_the_same_moment_as_it_was_agreed_on_stays(as_officer, as_reviewer, as_auditor, given):
    """Two transactions that saw nothing of each other: whoever carries it out looks again."""
    held, asked, version = given
    ask(as_officer, version)
    field.provided(held, asked)
    with make.acting("reviewer"):
        session().execute(
            update(EvidenceDestruction).values(state="approved", decided_by=make.person_id("reviewer"), decided_at=clock.now())
        )
        deletion.carry_out(session().scalars(select(EvidenceDestruction)).one())
    assert destructions() == {version: "stopped"} and storage.store().exists(key_of(version))
    [stopped] = entries("evidence.destruction.held")
    assert stopped.outcome == "refused"
    as_auditor.post(f"evidence/versions/{version}/download", then=200)


def test_an_approval_is_refused_once_it_was_given(as_officer, as_reviewer, given):
    held, asked, version = given
    ask(as_officer, version)
    field.provided(held, asked)
    page = as_reviewer.get(path(version)).text
    assert "Brook Audit was given it in" in page and "Delete permanently" not in page
    assert "Brook Audit was given it in" in approve(as_reviewer, version, then=409).text
    assert destructions() == {version: "asked"}


def test_what_is_only_being_prepared_keeps_nothing(as_officer, as_reviewer, given):
    _held, _asked, version = given
    ask(as_officer, version)
    approve(as_reviewer, version)
    queue.drain(actor_of)
    assert destructions() == {version: "done"}


# ---- read-only during the fieldwork


def test_where_evidence_is_read_only_no_file_of_it_is_destroyed(as_officer, as_reviewer):
    asked, agreed, other = (shelf.version(shelf.piece(title), PDF + title.encode()) for title in ("A", "B", "C"))
    for each in (asked, agreed):
        ask(as_officer, each)
    approve(as_reviewer, agreed)
    held = field.engagement("Still firm", keeps_still=True)
    assert "Still firm is at work" in as_officer.post(f"evidence/versions/{other}/destruction", then=422, because="x").text
    assert "Still firm is at work" in approve(as_reviewer, asked, then=409).text
    queue.drain(actor_of)
    assert destructions() == {asked: "asked", agreed: "stopped"} and storage.store().exists(key_of(agreed))
    field.end(held)
    ask(as_officer, other)
    assert destructions()[other] == "asked"


def test_what_the_console_files_is_no_change_by_the_person_who_pressed_the_button(app, database):
    """An access review is closed, and a collector run by hand, while people change nothing."""
    at = (clock.now().replace(day=1, hour=6) + timedelta(days=32)).replace(day=1)
    with clock.frozen(at):
        field.engagement("Still firm", keeps_still=True)
        review = begun()
        all_but_own(review)
        close(review)
        with make.acting(read_only=True):
            filed = reviews.review(review).evidence_version_id
        officer, other = visitor(app, "compliance_officer"), visitor(app, "reviewer")
        officer.post("evidence/collectors/members/runs")
        queue.drain(actor_of)
        assert filed is not None and last("members").state == "filed"
        refused = other.post(f"evidence/versions/{filed}/review", then=409, decision="accepted")
        assert "Still firm is at work" in refused.text


def test_who_names_the_console_as_his_source_is_a_person_all_the_same(as_contributor):
    e = shelf.piece()
    field.engagement("Still firm", keeps_still=True)
    for source in ("console", "access review", "drill"):
        refused = as_contributor.post(f"evidence/{e}/versions/new", then=422, **shelf.form(), source=source)
        assert "Still firm is at work" in refused.text
