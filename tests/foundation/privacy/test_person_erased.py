"""Erasure in every feature: by the sweep of all text, and by PersonErased for everything else."""

import re
from pathlib import Path

import pytest
from sqlalchemy import select

from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.models import EngagementAuditor
from governance.assurance.incidents import contact_actions
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.identity_providers import change_actions
from governance.foundation.list_views import actions as list_views
from governance.foundation.notifications import subscribers as notifications
from governance.foundation.people.jobs import actor_of
from governance.foundation.privacy.events import PersonErased
from governance.foundation.privacy.models import Erasure
from governance.foundation.scim import user_actions
from governance.foundation.search import indexing as search_index
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.work import events, jobs
from governance.kernel.work.events import subscribe, subscribers
from governance.publishing.reports import actions as reports
from governance.publishing.reports.seals import actions as seals
from governance.publishing.tenant_exports import actions as exports
from tests import faults, make
from tests.assurance.engagements import engagement_helpers
from tests.foundation.approvals.approval_helpers import decide_approval
from tests.foundation.privacy.conftest import (
    ADDRESS,
    NAME,
    add_person,
    erase_person,
    erasure_page,
    request_erasure,
    rows_with,
)

ROOT = Path(__file__).parents[3] / "governance"
# Features that store files, and why an erasure leaves those unchanged.
FILES_THAT_STAY = {
    "assurance/engagements": (
        "packages call people by pseudonyms, and hold evidence; access to them is removed"
    ),
    "assurance/evidence": (
        "a version never changes: who uploads evidence decides what it names, and two people can"
        " delete it"
    ),
    "assurance/frameworks": "a publisher's catalogue",
    "assurance/previews": (
        "a preview shows evidence, which stays; it is deleted with the file, and after a month"
    ),
    "operations/datasets": "a Croissant file that was looked at is removed the next night",
    "economics/imports": (
        "an uploaded file is removed a day after it was applied or discarded; usage has pseudonyms"
    ),
    "publishing/review_files": (
        "a closed month never changes: figures of tenants, and names of the two who signed"
    ),
    "publishing/system_documents": "a document of an AI system names records, and nobody",
    "publishing/red_team_reports": (
        "a signed report of an attack names who attacked and who planned it, as it says with whose"
        " consent a running system was broken"
    ),
    "publishing/model_cards": "a card says what anybody may read, and names no person",
    "operations/objectives": "a file to import holds definitions only, and names no person",
    "publishing/statements": (
        "a closed month never changes: it has minutes, terms and sums, and names of signatories"
        " that both parties keep as a contract"
    ),
    "foundation/logbook": (
        "an export holds entries as they are stored: what is personal in them is sealed"
    ),
    "foundation/privacy": "the list of erasures, which names nobody",
}


@pytest.fixture
def own_subscribers():
    with faults.restored(events._subscribers):
        yield


def make_auditor(engagement_id, member, name, address, slug="acme"):
    """Make that person an auditor of the engagement, by a link. Return its token."""
    token = f"link-of-{address}"
    with make.acting("admin", slug):
        session().add(
            EngagementAuditor(
                engagement_id=engagement_id,
                name=name,
                email=address,
                person_id=member.person_id if member else None,
                link_hash=auditor_access.hash_of_link(token),
                code_hash=b"c" * 32,
            )
        )
    return token


def auditors(engagement_id, slug="acme"):
    with make.acting("admin", slug, read_only=True):
        query = (
            select(EngagementAuditor)
            .where(EngagementAuditor.engagement_id == engagement_id)
            .order_by(EngagementAuditor.id)
        )
        found = session().scalars(query).all()
        session().expunge_all()
    return found


def test_who_acts_on_it_and_in_which_order(app):
    assert subscribers(PersonErased) == (
        auditor_access.forget_auditor,
        contact_actions.forget_contact,
        reports.withdraw_naming,
        seals.forget_copies,
        exports.delete_archives,
        notifications.delete_notifications_of,
        list_views.delete_views_of,
        search_index.compare_before_commit,
        change_actions.erase_tester,
        user_actions.forget_erased,
    )


def test_every_feature_that_stores_files_subscribes_or_says_why_they_stay(app):
    """Let each feature decide: redaction.py sweeps the text of rows, but not files."""
    stores = {
        "/".join(path.relative_to(ROOT).parts[:2])
        for path in ROOT.glob("*/*/**/*.py")
        if "kernel" not in path.parts
        and re.search(
            r"\bstore\(\)\.(write|keep)\(|\bkeep_preview\(|background_work import .*\bkeep\b",
            path.read_text(),
        )
    }
    subscribed = {
        "/".join(handler.__module__.split(".")[1:3]) for handler in subscribers(PersonErased)
    }
    assert {each for each in stores if each not in subscribed} - FILES_THAT_STAY.keys() == set()
    assert FILES_THAT_STAY.keys() - stores == set(), "no longer store files"


def test_an_erased_auditor_is_out_of_every_engagement_and_no_link_of_theirs_leads_in(
    app, as_admin, as_officer, client, database
):
    held, other = (
        engagement_helpers.create_engagement("Brook Audit"),
        engagement_helpers.create_engagement("Alder Audit"),
    )
    first = add_person(role="auditor")
    second = add_person(
        role="auditor", name="Piotr Zielinski", address="piotr.zielinski@acme.example"
    )
    token = make_auditor(held, first, NAME, ADDRESS)
    make_auditor(held, second, "Piotr Zielinski", "piotr.zielinski@acme.example")
    make_auditor(other, None, NAME, ADDRESS.upper())
    with make.acting("admin", "globex"):
        theirs = engagement_helpers.create_engagement("Their firm", slug="globex")
    make_auditor(theirs, None, NAME, ADDRESS, "globex")
    assert client.client.get(f"/auditor/acme/{token}").status_code == 200
    path = erase_person(as_officer, as_admin, first)
    assert client.client.get(f"/auditor/acme/{token}").status_code == 404
    erase_person(as_officer, as_admin, second, name="Piotr Zielinski")
    for row in (*auditors(held), *auditors(other)):
        assert (row.name, row.email, row.link_hash, row.code_hash) == (
            "[erased]",
            "[erased]",
            None,
            None,
        ) and row.removed_at
    [kept] = auditors(theirs, "globex")
    assert (kept.name, kept.removed_at) == (
        NAME,
        None,
    ) and kept.link_hash, "another tenant's engagement is its own"
    assert "2 engagements" in re.sub(r"\s+", " ", as_admin.get(path).text)
    with make.acting("admin"):
        assert rows_with(NAME) <= {"audit_entries"}
        removed = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "engagement.auditor.removed"))
            .all()
        )
        assert len(removed) == 3 and all(not entry.sealed for entry in removed), (
            "the log learns no name again"
        )
        assert auditor_queries.auditors(held) == []


@pytest.mark.usefixtures("own_subscribers")
def test_a_feature_that_refuses_leaves_the_person_as_they_were_and_says_why(
    as_admin, as_officer, departing_member, acting
):
    def refuse(erased):
        erased.removed["notes"] = 1
        raise DomainError("The archive of notes is closed for the night.")

    subscribe(PersonErased, refuse, order=99)
    path = request_erasure(as_officer, departing_member)
    decide_approval(as_admin, path, verb="approve", typed=NAME)
    assert jobs.drain(actor_of) >= 1
    assert "The archive of notes is closed for the night." in as_admin.get(erasure_page()).text
    with acting("admin"):
        assert session().scalars(select(Erasure.state)).all() == ["approved"]
        assert "people" in rows_with(NAME)
        joined = (
            session()
            .scalars(select(AuditEntry).where(AuditEntry.action == "membership.started"))
            .all()
        )
        named = [
            personal_field_encryption.unseal("name", entry.sealed["name"])
            for entry in joined
            if "name" in entry.sealed
        ]
        assert NAME in named, "its keys are there as well"
