"""A corrected catalogue keeps its ids, so that nobody loses a mapping."""

import dataclasses
import io
import json
import re

import pdfplumber
import pikepdf
import pytest
from sqlalchemy import create_engine, event, select, text

from governance.assurance.assessments import assessment_actions
from governance.assurance.assessments.report_facts import snapshot
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import catalogue, corrections, queries, sync
from governance.assurance.frameworks.models import FrameworkRevision, Requirement
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work import jobs
from governance.publishing.reports.built_document import short_digest
from tests.assurance.assessments.assessment_helpers import PERIOD
from tests.assurance.frameworks.framework_files import RMF, main_text

SOC2 = "soc2-tsc-2017"
TITLE = "Integrity and ethical values, corrected"


def corrected(key=SOC2):
    old = catalogue.load_catalogue(key)
    rows = list(old.requirements)
    rows[1] = dataclasses.replace(rows[1], title=TITLE)
    return dataclasses.replace(old, requirements=tuple(rows))


@pytest.fixture
def owner(settings):
    """Yield an engine of the tables' owner. Its corrections are reverted afterwards."""
    engine = create_engine(settings.owner_database_url)
    yield engine
    with engine.begin() as connection:
        for each in catalogue.all_catalogues():
            sync.install(connection, each)
        connection.execute(text("DELETE FROM framework_revisions WHERE number > 1"))
    engine.dispose()
    queries.forget_catalogues()


def correct(owner, wanted=None):
    with owner.begin() as connection:
        is_new = sync.install(connection, wanted or corrected())
    queries.forget_catalogues()
    return is_new


def linked_controls(visitor, key):
    return set(
        re.findall(r"controls/([0-9a-f-]{36})", visitor.get(f"frameworks/{key}/requirements").text)
    )


def ids(acting):
    with acting("compliance_officer", read_only=True):
        query = select(Requirement.ref, Requirement.id).where(
            Requirement.framework_id == queries.framework(SOC2).id
        )
        return dict(session().execute(query).all())


def test_a_corrected_title_keeps_ids_and_mappings(as_officer, as_neighbour, acting, owner):
    with acting("compliance_officer"):
        adoption_actions.adopt(None)
    with acting("compliance_officer", "globex"):  # It never adopted a framework itself.
        adoption_actions.adopt(None)
    visitors = {"acme": as_officer, "globex": as_neighbour}
    before = {
        (slug, key): linked_controls(v, key) for slug, v in visitors.items() for key in (SOC2, RMF)
    }
    known = ids(acting)
    assert all(before.values())

    assert correct(owner) is False

    after = {
        (slug, key): linked_controls(v, key) for slug, v in visitors.items() for key in (SOC2, RMF)
    }
    assert after == before
    assert ids(acting) == known
    ref = catalogue.load_catalogue(SOC2).requirements[1].ref
    assert TITLE in main_text(as_officer.get(f"frameworks/{SOC2}/{ref}"))
    with acting("compliance_officer", read_only=True):
        assert [each.key for each in queries.installed()].count(SOC2) == 1
        revision = queries.newest_revision(queries.framework(SOC2).id)
        assert revision.number == 2
        assert revision.digest == catalogue.catalogue_digest(corrected())
        old = catalogue.load_catalogue(SOC2).requirements[1].title
        assert revision.changed == [{"ref": ref, "field": "title", "before": old, "after": TITLE}]
    assert "revision 2" in main_text(as_officer.get(f"frameworks/{SOC2}/versions"))


def test_another_id_is_another_edition(as_officer, acting, owner):
    old = catalogue.load_catalogue(SOC2)
    assert catalogue.catalogue_structure(corrected()) == catalogue.catalogue_structure(old)
    fewer = dataclasses.replace(old, requirements=old.requirements[:-1])
    another = dataclasses.replace(old, edition="another")
    structures = {catalogue.catalogue_structure(each) for each in (old, fewer, another)}
    assert len(structures) == 3


def test_a_correction_that_is_interrupted_changes_nothing(owner, acting):
    """Lose the connection after each statement in turn."""
    known, digest = ids(acting), catalogue.catalogue_digest(catalogue.load_catalogue(SOC2))
    for survived in range(100):
        done = 0

        def lose(*_, survived=survived):
            nonlocal done
            if done == survived:
                raise ConnectionError("lost")
            done += 1

        with owner.connect() as connection:
            event.listen(connection, "before_cursor_execute", lose)
            try:
                with connection.begin():
                    sync.install(connection, corrected())
                break
            except ConnectionError:
                pass
        queries.forget_catalogues()
        with acting("compliance_officer", read_only=True):
            assert queries.framework(SOC2).digest == digest
            assert queries.newest_revision(queries.framework(SOC2).id).number == 1
    assert survived > 3
    queries.forget_catalogues()
    assert ids(acting) == known
    with acting("compliance_officer", read_only=True):
        assert queries.newest_revision(queries.framework(SOC2).id).number == 2


def test_a_catalogue_is_corrected_while_somebody_maps(as_officer, acting, owner):
    with owner.connect() as connection, connection.begin():
        sync.install(connection, corrected())
        with acting("compliance_officer"):
            adopted = adoption_actions.adopt(None)
    queries.forget_catalogues()
    assert adopted
    assert linked_controls(as_officer, SOC2)


def test_the_operators_log_names_a_correction_once(owner, acting, as_operator):
    assert corrections.record_corrections() == 0
    correct(owner)
    assert corrections.record_corrections() == 1
    assert corrections.record_corrections() == 0
    with acting("operator_admin", "console", read_only=True):
        entries = session().scalars(
            select(AuditEntry).where(AuditEntry.action == corrections.CORRECTED.name)
        )
        [entry] = entries.all()
        assert entry.facts["key"] == SOC2
        assert (entry.facts["number"], entry.facts["texts"]) == (2, 1)
        revisions = session().scalars(select(FrameworkRevision).where(FrameworkRevision.number > 1))
        assert [each.id for each in revisions] == [entry.target_id]
    with acting("admin", read_only=True):
        ours = select(AuditEntry).where(AuditEntry.action == corrections.CORRECTED.name)
        assert session().scalars(ours).all() == []


def test_the_starter_pack_adopts_the_frameworks_it_maps_to(as_officer, acting):
    sentence = "Adopting controls also adopts the frameworks they map to: "
    names = main_text(as_officer.get("controls/starter")).partition(sentence)[2]
    assert "SOC 2" in names.partition(".")[0] or "SOC 2" in names
    with acting("compliance_officer"):
        adoption_actions.adopt(None)
    assert sentence not in main_text(as_officer.get("controls/starter"))
    text_of = main_text(as_officer.get(f"frameworks/{SOC2}/versions"))
    assert "adopted" in text_of and "not adopted" not in text_of


def test_a_closed_assessment_prints_the_digest_it_was_frozen_with(as_officer, acting, owner):
    old, new = map(catalogue.catalogue_digest, (catalogue.load_catalogue(SOC2), corrected()))
    with acting("compliance_officer"):
        closed, still_open = (
            assessment_actions.start_assessment(
                queries.framework(SOC2).id, title=title, **PERIOD
            ).id
            for title in ("First", "Second")
        )
    as_officer.post(f"assessments/{closed}/closing", accept_open="y")
    correct(owner)
    page = as_officer.get(f"assessments/{closed}").text
    assert old in page and new not in page
    page = as_officer.get(f"assessments/{still_open}").text
    assert new in page and old not in page
    with acting("compliance_officer", read_only=True):
        assert snapshot(closed, clock.now())["framework"]["digest"] == old


@pytest.mark.slow
def test_a_report_prints_the_digest_that_its_assessment_was_frozen_with(as_officer, acting, owner):
    old, new = map(catalogue.catalogue_digest, (catalogue.load_catalogue(RMF), corrected(RMF)))
    with acting("compliance_officer"):
        adoption_actions.adopt(["SEC-04", "GOV-01"])
        closed = assessment_actions.start_assessment(
            queries.framework(RMF).id, title="Q4 2026", **PERIOD
        ).id
    as_officer.post(f"assessments/{closed}/closing", accept_open="y")
    correct(owner, corrected(RMF))
    report = as_officer.post("reports/", assessment_id=str(closed)).location
    jobs.drain(actor_of)
    content = as_officer.post(f"{report}/pdf", then=200).data
    with pikepdf.open(io.BytesIO(content)) as document:
        carried = document.attachments["snapshot.json"].get_file().read_bytes()
    assert json.loads(carried)["framework"]["digest"] == old
    with pdfplumber.open(io.BytesIO(content)) as printed:
        text_of = " ".join(page.extract_text() or "" for page in printed.pages)
    assert short_digest(old) in text_of and short_digest(new) not in text_of
    assert TITLE not in text_of
