"""Documents of a system through the front door: start, write, complete, outdate."""

import re

import pytest

from governance.assurance.controls import mapping_actions
from governance.assurance.controls import queries as controls
from governance.assurance.evidence import actions as evidence
from governance.assurance.evidence import queries as evidence_queries
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.record_points import RecordPoint
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from governance.publishing.system_documents import queries
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.incidents import incident_helpers
from tests.assurance.risks import risk_helpers
from tests.operations.agreements import agreement_helpers
from tests.operations.alerts.alert_helpers import watched_objective
from tests.operations.datasets import data_set_helpers
from tests.operations.evaluations import evaluation_helpers
from tests.operations.intake import intake_helpers
from tests.publishing.system_documents.document_helpers import (
    FILE,
    HOME,
    IMPACT,
    SYSTEM,
    evidence_ref,
    point_count,
    register_system,
    write_open_points,
)

DRAFT = f"{FILE}/1"


@pytest.fixture(autouse=True)
def system(database):
    return register_system(
        intended_users="Adjusters",
        autonomy="advice",
        limits=["Handwriting"],
        models=[{"provider": "Helio", "name": "helio-4", "version": "", "retires_on": ""}],
    )


@pytest.fixture
def draft(as_officer):
    as_officer.post(FILE)
    return DRAFT


def test_a_draft_shows_what_the_record_says_and_what_is_open(draft, as_viewer):
    assert "Technical file" in main_text(as_viewer.get(f"{HOME}/"))
    text = main_text(as_viewer.get(draft))
    assert "Ranks incoming claims for adjusters." in text and "Limits: Handwriting." in text
    assert "People can stop auto-approve by itself. Meanwhile: An adjuster decides." in text
    assert "Models: Helio helio-4." in text and "1.e Hardware Open" in text
    assert "Register, version" in text and "Write…" not in text
    assert "points open" in main_text(as_viewer.get(f"{HOME}/"))


def test_objectives_controls_incidents_and_frameworks_are_sources(draft, system, as_officer):
    incident_helpers.declare(systems=[system], impact_from=clock.now(), aware_at=clock.now())
    control = evidence_helpers.create_control()
    with make.acting("compliance_officer"):
        watched_objective()
        adopting.adopt_framework("nist-ai-rmf-1.0")
        mapping_actions.map_to(
            controls.find_control(control),
            frameworks.requirement("nist-ai-rmf-1.0", "MEASURE 2.7").id,
            "full",
        )
    page = as_officer.get(draft)
    text = main_text(page)
    assert "Third-party penetration test (MEASURE 2.7). Control SEC-04" in text
    assert "at least 99.9%. Objective" in text and "Incident INC-1" in text
    assert "Framework NIST AI Risk Management Framework" in text and "Tier Standard." in text
    for address in re.findall(r'c-cellsub"><a href="([^"]+)"', page.text):
        as_officer.get(address)


def test_data_sets_evaluations_and_risks_are_sources(draft, system, as_officer):
    data_set_helpers.add_data_set(uses=[(system, "training")])
    risk_helpers.create_risk(system_ids=[system])
    with make.acting("admin"):
        evaluation_helpers.published_suite()
    evaluation_helpers.judged(evaluation_helpers.log_of(190, 10))
    page = as_officer.get(draft)
    text = main_text(page)
    assert "claims-2025, for training, has no licence. Data set claims-2025, not published" in text
    assert "20 after controls, 20 before. Risk RSK-1" in text
    assert "Release 2026.11.2: " in text and "Evaluation run 1" in text
    for address in re.findall(r'c-cellsub"><a href="([^"]+)"', page.text):
        as_officer.get(address)


def test_a_data_set_is_named_once_with_its_state_and_its_version(draft, system, as_officer):
    data_set_helpers.add_data_set(
        content=data_set_helpers.described(),
        uses=[(system, "training"), (system, "retrieval")],
    )
    with make.acting("compliance_officer"):
        row = register.system(SYSTEM, lock=True)
        systems.set_data_sets(row, [*row.data_sets, "Letters of 2019"])
    text = main_text(as_officer.get(draft))
    assert "claims-2025, for retrieval and training, is usable." in text
    assert text.count("claims-2025, for") == 1 and "Data sets: claims-2025" not in text
    assert "Data sets: Letters of 2019." in text


def test_service_levels_that_an_agreement_promises_are_sources(draft, as_officer):
    with make.acting("compliance_officer"):
        indicator = watched_objective().indicator_id
    agreement_helpers.in_force(indicator)
    page = as_officer.get(draft)
    assert "at least 99.9% a month is promised. Agreement AGR-1 Claims automation" in main_text(
        page
    )
    for address in re.findall(r'c-cellsub"><a href="([^"]+/agreements/[^"]+)"', page.text):
        as_officer.get(address)
    data_set_helpers.register_system("other-system")
    as_officer.post("systems/other-system/documents/technical-file")
    other = as_officer.get("systems/other-system/documents/technical-file/1")
    assert "AGR-1" not in main_text(other)


def test_a_system_from_intake_says_who_it_is_meant_for(as_contributor, as_officer):
    made = intake_helpers.propose(as_contributor)
    intake_helpers.decide(as_officer, intake_helpers.approval_of(as_officer, made))
    as_officer.post("systems/premium-advisor/documents/impact-assessment")
    text = main_text(as_officer.get("systems/premium-advisor/documents/impact-assessment/1"))
    assert "Underwriters; applicants are affected." in text and "Proposal PRO-1" in text
    assert "Data: Personal data." in text


def test_completing_is_refused_while_points_are_open_and_names_each(draft, as_officer):
    page = as_officer.post(f"{draft}/complete", then=422)
    text = main_text(page)
    assert "Not completed. 18 points are open: 1.b Connections; 1.d Forms of delivery" in text
    with make.acting("viewer", read_only=True):
        found = register.system(SYSTEM)
        assert not queries.version(found.id, "technical-file", 1).is_complete


@pytest.mark.parametrize("kind", ["technical-file", "impact-assessment"])
def test_a_version_without_open_points_is_completed_and_frozen(kind, as_officer, as_viewer):
    as_officer.post(f"{HOME}/{kind}")
    address = f"{HOME}/{kind}/1"
    written = write_open_points(as_officer, address, evidence_ref())
    assert written
    as_officer.post(f"{address}/complete")
    as_officer.post(f"{address}/complete")  # The second of two clicks.
    text = main_text(as_viewer.get(address))
    assert "Complete: every point is bound to the record." in text
    assert f"What {written[0]} says." in text and "Evidence EV-" in text
    with make.acting("compliance_officer"):
        found = register.system(SYSTEM)
        assert len(queries.version(found.id, kind, 1).content) == point_count(kind)
        systems.edit(
            found,
            seen=systems.revision(found),
            name=found.name,
            purpose="Pays small claims.",
            owner_id=None,
        )
    text = main_text(as_viewer.get(address))
    assert "The record has changed since." in text and "Ranks incoming claims" in text
    assert "Pays small claims." not in text
    point = written[0]
    as_officer.post(f"{address}/points/{point}", then=409, seen="1", text="x", evidence="EV-1")


def outdated(system_id):
    with make.acting("compliance_officer", read_only=True):
        return [tuple(row)[1:] for row in session().execute(queries.outdated(system_id))]


def test_a_substantial_change_makes_a_completed_version_outdated(as_officer, system):
    as_officer.post(IMPACT)
    write_open_points(as_officer, f"{IMPACT}/1", evidence_ref())
    as_officer.post(f"{IMPACT}/1/complete")
    assert outdated(system) == []
    with make.acting("compliance_officer"), clock.frozen(clock.now().replace(year=2027)):
        found = register.system(SYSTEM)
        systems.edit(
            found,
            seen=systems.revision(found),
            name=found.name,
            purpose="Pays small claims.",
            owner_id=None,
        )
    assert outdated(system) == [("Impact assessment", "version 1")]
    as_officer.post(IMPACT)
    assert outdated(system) == []


def test_the_next_version_begins_with_what_people_wrote(as_officer):
    as_officer.post(FILE)
    ref = evidence_ref()
    write_open_points(as_officer, DRAFT, ref)
    as_officer.post(f"{DRAFT}/complete")
    first, second = (as_officer.post(FILE).location for _ in range(2))
    assert first == second and first.endswith("/technical-file/2")
    assert "What 1.e says." in main_text(as_officer.get(f"{FILE}/2"))
    as_officer.post(f"{FILE}/2/points/1.e", seen="1", text="A server.", evidence=ref)
    assert "What 1.e says." in main_text(as_officer.get(DRAFT))


def test_a_point_may_not_apply_for_a_reason(draft, as_contributor):
    as_contributor.post(
        f"{draft}/points/1.f", seen="0", text="It is no product.", does_not_apply="y", evidence=""
    )
    text = main_text(as_contributor.get(draft))
    assert "Doesn't apply: It is no product. Statement of" in text


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"text": " "}, "Enter a text."),
        ({"text": "x" * 2001}, "2000 characters"),
        ({"evidence": ""}, "Name the evidence item that shows it"),
        ({"evidence": "EV-9999"}, "There is no evidence item EV-9999."),
        ({"evidence": "nonsense"}, "There is no evidence item nonsense."),
    ],
)
def test_a_sentence_without_a_record_is_refused(draft, as_officer, given, sentence):
    form = {"seen": "0", "text": "A server.", "evidence": evidence_ref(), **given}
    assert sentence in as_officer.post(f"{draft}/points/1.e", then=422, **form).text


def test_evidence_of_another_tenant_or_retired_is_refused(draft, as_officer):
    ref = evidence_ref()
    with make.acting("compliance_officer"):
        evidence.retire(evidence_queries.find_by_ref(ref), reason="Replaced.")
    form = {"seen": "0", "text": "A server.", "evidence": ref}
    assert "is retired" in as_officer.post(f"{draft}/points/1.e", then=422, **form).text


def test_two_tabs_do_not_overwrite_each_other(draft, as_officer, as_contributor):
    ref = evidence_ref()
    as_contributor.post(f"{draft}/points/1.e", seen="0", text="A server.", evidence=ref)
    reply = as_officer.post(
        f"{draft}/points/1.e", then=409, seen="0", text="A phone.", evidence=ref
    )
    assert "Anna Rossi wrote this point since you opened it" in main_text(reply)
    as_officer.post(f"{draft}/points/1.e", seen="1", text="A phone.", evidence=ref)
    assert "A phone." in main_text(as_officer.get(draft))


def test_documents_of_a_retired_system_stay_as_they_are(draft, as_officer):
    with make.acting("compliance_officer"):
        systems.retire(register.system(SYSTEM), reason="Replaced.")
    text = main_text(as_officer.get(draft))
    assert "is retired. Its documents can’t change any more." in text and "Write…" not in text
    form = {"text": "A server.", "evidence": evidence_ref()}
    as_officer.post(f"{draft}/points/1.e", then=422, seen="0", **form)
    as_officer.post(f"{draft}/complete", then=422)
    as_officer.post(IMPACT, then=409)


def test_other_features_add_what_they_know_by_their_manifest(draft, as_officer):
    from dataclasses import replace

    from governance.kernel import manifest

    def points_of(system_id):
        yield RecordPoint(("2.g",), "Accuracy 0.94.", "Run 12", "systems.index", {})

    every = manifest.installed()
    more = (replace(every[0], record_points=(points_of,)), *every[1:])
    manifest.install(more)
    try:
        assert "Accuracy 0.94. Run 12" in main_text(as_officer.get(draft))
    finally:
        manifest.install(every)


def test_only_those_who_may_write_do_and_other_tenants_see_nothing(
    draft, as_viewer, as_contributor, as_neighbour, as_stranger
):
    as_viewer.post(FILE, then=403)
    as_viewer.get(f"{draft}/points/1.e", then=403)
    as_contributor.post(f"{draft}/complete", then=403)
    as_stranger.get(draft, then=404)
    as_neighbour.get(draft, then=404)
    register_system("globex")
    as_neighbour.get(draft, then=404)
    as_neighbour.post(f"{draft}/complete", then=404)
    as_neighbour.get(f"{HOME}/unknown/1", then=404)
    as_neighbour.post(f"{HOME}/unknown", then=404)
    as_contributor.get(f"{draft}/points/77", then=404)


def test_an_audit_entry_leads_to_the_version(draft, as_officer):
    with make.acting("viewer", read_only=True):
        made = queries.version(register.system(SYSTEM).id, "technical-file", 1).id
    reply = as_officer.get(f"system-documents/{made}", then=302)
    assert reply.location.endswith("/systems/claims-triage/documents/technical-file/1")
