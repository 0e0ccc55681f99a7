"""Files that auditors were given, and all evidence where the tenant wants it, don't change.

Meridian's own evidence is still stored.
"""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from governance.assurance.access_reviews import queries as reviews
from governance.assurance.evidence import deletion
from governance.assurance.evidence.models import EvidenceDeletion
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files import storage
from governance.kernel.work import jobs as queue
from tests import make
from tests.assurance.access_reviews.review_helpers import (
    close_review,
    decide_all_but_own,
    start_review,
)
from tests.assurance.collectors.collector_helpers import last_run
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence import evidence_helpers
from tests.assurance.evidence.deletion_helpers import (
    approve_deletion,
    count_deletion_rows,
    deletion_approval_path,
    request_deletion,
    run_nightly_cleanup,
    storage_key_of,
)
from tests.assurance.evidence.evidence_helpers import PDF, entries_of_action
from tests.conftest import visitor


@pytest.fixture
def provided_version(database):
    """Return (engagement, version that its auditors were given)."""
    held = engagement_helpers.create_engagement(
        auditor="auditor", period_from=clock.today() - timedelta(days=1000)
    )
    version = evidence_helpers.upload_version(
        evidence_helpers.create_evidence("Restore drill"),
        **evidence_helpers.version_dates(collected=800, covers=900, valid=-700),
    )
    asked = engagement_helpers.create_request(held)
    engagement_helpers.attach_version(held, asked, version)
    return held, asked, version


# ---- files that auditors were given


def test_provided_files_are_deleted_neither_by_two_people_nor_by_retention(
    as_officer, as_reviewer, as_auditor, provided_version
):
    held, asked, version = provided_version
    engagement_helpers.provide_request(held, asked)
    refused = as_officer.post(
        f"evidence/versions/{version}/deletion", then=422, reason="It is old."
    )
    assert "provided to Brook Audit in" in refused.text and "can be deleted after" in refused.text
    as_officer.post("evidence/retention", kind="report", months="12", version="0")
    run_nightly_cleanup()
    assert count_deletion_rows() == {}
    as_auditor.post(f"evidence/versions/{version}/download", then=200)
    engagement_helpers.end_engagement(held)
    run_nightly_cleanup()
    assert count_deletion_rows() == {version: "requested"}
    approve_deletion(as_reviewer, version)
    queue.drain(actor_of)
    assert count_deletion_rows() == {version: "done"}


def test_a_version_approved_for_deletion_cannot_be_provided(
    as_officer, as_reviewer, provided_version
):
    held, asked, version = provided_version
    request_deletion(as_officer, version)
    approve_deletion(as_reviewer, version)
    with pytest.raises(DomainError, match="Remove it and attach another"):
        engagement_helpers.provide_request(held, asked)
    queue.drain(actor_of)
    assert count_deletion_rows() == {version: "done"}


def test_what_was_given_at_the_same_moment_as_it_was_agreed_on_stays(
    as_officer, as_reviewer, as_auditor, provided_version
):
    """Check again at deletion: two transactions didn't see each other."""
    held, asked, version = provided_version
    request_deletion(as_officer, version)
    engagement_helpers.provide_request(held, asked)
    with make.acting("reviewer"):
        session().execute(
            update(EvidenceDeletion).values(
                state="approved", decided_by=make.person_id("reviewer"), decided_at=clock.now()
            )
        )
        deletion.carry_out(session().scalars(select(EvidenceDeletion)).one())
    assert count_deletion_rows() == {version: "stopped"} and storage.store().exists(
        storage_key_of(version)
    )
    [stopped] = entries_of_action("evidence.deletion.blocked")
    assert stopped.outcome == "denied"
    as_auditor.post(f"evidence/versions/{version}/download", then=200)


def test_an_approval_is_refused_once_it_was_given(as_officer, as_reviewer, provided_version):
    held, asked, version = provided_version
    request_deletion(as_officer, version)
    engagement_helpers.provide_request(held, asked)
    page = as_reviewer.get(deletion_approval_path(version)).text
    assert "provided to Brook Audit in" in page and "Delete permanently" not in page
    assert "provided to Brook Audit in" in approve_deletion(as_reviewer, version, then=409).text
    assert count_deletion_rows() == {version: "requested"}


def test_what_is_only_being_prepared_keeps_nothing(as_officer, as_reviewer, provided_version):
    _held, _asked, version = provided_version
    request_deletion(as_officer, version)
    approve_deletion(as_reviewer, version)
    queue.drain(actor_of)
    assert count_deletion_rows() == {version: "done"}


# ---- read-only during the fieldwork


def test_no_file_is_deleted_while_evidence_is_read_only(as_officer, as_reviewer):
    asked, agreed, other = (
        evidence_helpers.upload_version(
            evidence_helpers.create_evidence(title), PDF + title.encode()
        )
        for title in ("A", "B", "C")
    )
    for each in (asked, agreed):
        request_deletion(as_officer, each)
    approve_deletion(as_reviewer, agreed)
    held = engagement_helpers.create_engagement("Still firm", freezes_changes=True)
    assert (
        "(Still firm)"
        in as_officer.post(f"evidence/versions/{other}/deletion", then=422, reason="x").text
    )
    assert "(Still firm)" in approve_deletion(as_reviewer, asked, then=409).text
    queue.drain(actor_of)
    assert count_deletion_rows() == {
        asked: "requested",
        agreed: "stopped",
    } and storage.store().exists(storage_key_of(agreed))
    engagement_helpers.end_engagement(held)
    request_deletion(as_officer, other)
    assert count_deletion_rows()[other] == "requested"


def test_what_the_console_files_is_no_change_by_the_person_who_pressed_the_button(app, database):
    """Allow Meridian's own evidence while people can change nothing.

    It comes from closing an access review, and from running a collector by hand.
    """
    at = (clock.now().replace(day=1, hour=6) + timedelta(days=32)).replace(day=1)
    with clock.frozen(at):
        engagement_helpers.create_engagement("Still firm", freezes_changes=True)
        review = start_review()
        decide_all_but_own(review)
        close_review(review)
        with make.acting(read_only=True):
            filed = reviews.review(review).evidence_version_id
        officer, other = visitor(app, "compliance_officer"), visitor(app, "reviewer")
        officer.post("evidence/collectors/members/runs")
        queue.drain(actor_of)
        assert filed is not None and last_run("members").state == "filed"
        refused = other.post(f"evidence/versions/{filed}/review", then=422, decision="accepted")
        assert "(Still firm)" in refused.text


def test_naming_the_console_as_the_source_makes_nobody_the_console(as_contributor):
    e = evidence_helpers.create_evidence()
    engagement_helpers.create_engagement("Still firm", freezes_changes=True)
    for source in ("console", "access review", "drill"):
        refused = as_contributor.post(
            f"evidence/{e}/versions/new", then=422, **evidence_helpers.version_form(), source=source
        )
        assert "(Still firm)" in refused.text
