"""Entries of auditors' page views, one for each page; members' views aren't recorded."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry, TenantKey
from governance.foundation.logbook.actions import PAGE_VIEWED
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from tests import make
from tests.foundation.logbook.log_page_helpers import (
    entry_ids_on_page,
    parse_page,
    sequence_entries,
    write_entries,
)


def views(acting, tenant="acme"):
    """Return (actor, page, object) of every recorded view, the oldest first."""
    with acting("admin", tenant):
        query = (
            select(AuditEntry).where(AuditEntry.action == PAGE_VIEWED.name).order_by(AuditEntry.id)
        )
        return [(e.actor, e.facts["page"], e.facts.get("object")) for e in session().scalars(query)]


@pytest.fixture
def harriet(acting, app, isolated):
    with acting("admin"):
        return personal_field_encryption.pseudonym(make.person_id("auditor"))


PAGES = (
    "",
    "controls/",
    "evidence/",
    "systems/",
    "reports/",
    "frameworks/",
    "assessments/",
    "audit/",
    "audit/checkpoints",
    "settings/",
    "systems/export.csv",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_that_an_auditor_gets_leaves_exactly_one_entry(
    as_auditor, acting, harriet, page
):
    as_auditor.get(page)
    [(actor, endpoint, _)] = views(acting)
    assert actor == harriet and "." in endpoint


def test_the_tenants_own_people_leave_none(
    as_officer, as_admin, as_viewer, as_contributor, acting, database
):
    for person in (as_officer, as_admin, as_viewer, as_contributor):
        for page in ("", "controls/", "systems/"):
            person.get(page)
    assert views(acting) == []


def test_the_object_is_named_and_what_was_typed_is_not(as_auditor, acting, harriet):
    with acting("admin"):
        systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="x",
            owner_id=None,
        )
    [entry_id] = write_entries(acting, 1)
    sequence_entries(acting)
    as_auditor.get("systems/claims-triage?secret=typed")
    as_auditor.get("controls/?q=who-is-suspected")
    as_auditor.get(f"audit/entries/{entry_id}")
    as_auditor.get(f"audit/?entry={entry_id}&q=tenant")
    seen = views(acting)
    assert seen == [
        (harriet, "systems.system", "claims-triage"),
        (harriet, "controls.index", None),
        (harriet, "logbook.entry", str(entry_id)),
        (harriet, "logbook.index", str(entry_id)),
    ]
    with acting("admin"):
        bodies = b"".join(session().scalars(select(AuditEntry.body)))
    assert b"typed" not in bodies and b"suspected" not in bodies


def test_what_was_refused_or_missing_was_not_seen(as_auditor, acting, database):
    as_auditor.get("settings/members", then=403)
    as_auditor.get("systems/nothing-of-that-name", then=404)
    as_auditor.get("controls/new", then=403)
    assert views(acting) == []


def test_polling_and_the_theme_leave_none(as_auditor, acting, database):
    mark = "2026-01-01T00:00:00+00:00~00000000-0000-0000-0000-000000000000"
    as_auditor.get("audit/live", query_string={"mark": mark})
    as_auditor.get("/static/console.css")
    as_auditor.post("/theme", theme="dark", back="/t/acme/")
    assert views(acting) == []


def test_his_own_looking_is_no_news_to_the_auditor_and_is_to_the_officer(
    as_auditor, as_officer, acting, database
):
    address = {
        who: parse_page(who.get("audit/")).select_one("[data-live]")["data-live"]
        for who in (as_auditor, as_officer)
    }
    as_auditor.get("controls/")
    assert as_auditor.get(address[as_auditor]).json["count"] == 0
    assert as_officer.get(address[as_officer]).json["count"] == 1


def test_it_is_in_that_tenants_log_and_in_no_other(
    as_auditor, as_officer, as_neighbour, acting, database
):
    as_auditor.get("controls/")
    assert views(acting, "globex") == []
    assert len(entry_ids_on_page(as_officer.get(f"audit/?action={PAGE_VIEWED.name}"))) == 1
    assert entry_ids_on_page(as_neighbour.get(f"audit/?action={PAGE_VIEWED.name}")) == []


def test_a_page_that_cannot_be_noted_is_not_given(as_auditor, as_officer, acting, database):
    """Withhold the page: without the pseudonym key nothing can be recorded."""
    assert "Audit log" in as_auditor.get("audit/").text
    with acting("admin"):
        session().execute(update(TenantKey).values(wrapped=b"damaged"))
    with clock.frozen(
        clock.now() + personal_field_encryption.CACHE_LIFETIME + timedelta(seconds=1)
    ):
        reply = as_auditor.get("audit/", then=503)
        assert (
            "the log cannot be written right now" in reply.text and "data-entry" not in reply.text
        )
        assert "data-entry" in as_officer.get("audit/").text
