"""The end of an auditor's access: their sessions, and the files being generated for them."""

import pytest
from sqlalchemy import select

from governance.assurance.engagements.auditors import access_end
from governance.assurance.engagements.events import AuditorAccessEnded
from governance.foundation.audit.models import AuditEntry
from governance.foundation.logbook.models import LogExport
from governance.foundation.people.models import Session
from governance.kernel.data.db import session
from governance.kernel.work.events import subscribers
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.conftest import visitor


def live_sessions(acting, role):
    with acting("admin", read_only=True):
        query = select(Session.id).where(
            Session.person_id == make.person_id(role), Session.ended_at.is_(None)
        )
        return len(session().scalars(query).all())


def work_of(acting, role, slug="acme"):
    """Return (kind, state) of the work that this person requested."""
    with acting("admin", slug, read_only=True):
        query = select(WorkItem.kind, WorkItem.state).where(
            WorkItem.requested_by == make.person_id(role, slug)
        )
        query = query.order_by(WorkItem.kind)
        return [tuple(row) for row in session().execute(query)]


@pytest.fixture
def requested_files(as_auditor, as_officer):
    """Request an export of the log and a package, each as the auditor and as the officer."""
    package = f"engagements/{engagement_helpers.world_engagement()}/packages"
    as_auditor.post("audit/exports", format="csv")
    as_auditor.post(package)
    as_officer.post("audit/exports", format="jsonl")


def test_sessions_end_first_and_then_what_is_being_generated(app):
    assert subscribers(AuditorAccessEnded) == (access_end.end_sessions, access_end.cancel_downloads)


@pytest.mark.usefixtures("requested_files")
def test_the_end_of_the_engagement_ends_the_sessions_and_cancels_what_is_generated_for_them(
    as_officer, as_neighbour, acting
):
    as_neighbour.post("audit/exports", format="csv")
    assert {state for _kind, state in work_of(acting, "auditor")} == {"queued"}
    as_officer.post(
        f"engagements/{engagement_helpers.world_engagement()}/end", reason="The fieldwork is done."
    )
    assert live_sessions(acting, "auditor") == 0
    assert work_of(acting, "auditor") == [
        ("evidence package", "cancelled"),
        ("log export", "cancelled"),
    ]
    assert work_of(acting, "compliance_officer") == [("log export", "queued")], "a member's goes on"
    assert live_sessions(acting, "compliance_officer") == 1
    assert work_of(acting, "compliance_officer", "globex") == [("log export", "queued")], (
        "and so does another tenant's"
    )
    as_neighbour.get("audit/exports")
    with acting("admin", read_only=True):
        entries = select(AuditEntry.action).where(
            AuditEntry.action.in_(("audit.export.cancelled", "engagement.package.cancelled"))
        )
        assert sorted(session().scalars(entries)) == [
            "audit.export.cancelled",
            "engagement.package.cancelled",
        ]
        assert session().scalars(select(LogExport.storage_key)).all() == [None, None]


@pytest.mark.usefixtures("requested_files")
def test_while_another_engagement_is_open_nothing_ends(as_officer, acting):
    engagement_helpers.create_engagement("Second firm", auditor="auditor")
    as_officer.post(
        f"engagements/{engagement_helpers.world_engagement()}/end", reason="The fieldwork is done."
    )
    assert live_sessions(acting, "auditor") == 1
    assert {state for _kind, state in work_of(acting, "auditor")} == {"queued"}


def test_who_is_denied_because_the_window_has_closed_loses_their_session_and_their_work_too(
    app, as_auditor, acting
):
    as_auditor.post("audit/exports", format="csv")
    from governance.assurance.engagements import queries
    from governance.kernel import clock

    with acting("admin"):
        queries.engagement(engagement_helpers.world_engagement()).closes_at = clock.now()
    as_auditor.get("controls/", then=403)
    assert live_sessions(acting, "auditor") == 0
    assert work_of(acting, "auditor") == [("log export", "cancelled")]
    visitor(app, "viewer").get("controls/")
