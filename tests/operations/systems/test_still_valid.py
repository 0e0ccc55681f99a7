"""Confirmations that an outdated record is still valid, until the next substantial change."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.assurance.assessments import assessment_actions
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions, queries
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.risks import risk_helpers
from tests.operations.evaluations.evaluation_helpers import judged, log_of, published_suite

TRIAGE = "systems/claims-triage"
CONFIRM = f"{TRIAGE}/still-valid"
REASON = "Read again: it doesn't mention the purpose."


@pytest.fixture(autouse=True)
def system_id(app, isolated):
    return risk_helpers.create_system()


def change(purpose):
    """Make a substantial change."""
    with make.acting("compliance_officer"):
        row = queries.system("claims-triage", lock=True)
        actions.edit(row, seen=actions.revision(row), name=row.name, purpose=purpose, owner_id=None)


def assess(system_id):
    today = clock.today()
    with make.acting("compliance_officer"):
        return assessment_actions.start_assessment(
            frameworks.framework("nist-ai-rmf-1.0").id,
            title="Triage, Q3",
            scope=str(system_id),
            period_from=today - timedelta(days=90),
            period_to=today,
            targets=2,
        ).id


def outdated(visitor):
    found = re.search(r"(\d+) records? must be renewed", main_text(visitor.get(TRIAGE)))
    return int(found[1]) if found else 0


def entries(action):
    with make.acting("admin", read_only=True):
        query = select(AuditEntry).where(AuditEntry.action == action)
        return [each.facts for each in session().scalars(query)]


def test_an_assessment_is_confirmed_with_a_reason_and_outdated_again_by_the_next_change(
    system_id, as_officer
):
    assessment = str(assess(system_id))
    change("Decides claims.")
    assert f"still-valid?record={assessment}" in as_officer.get(TRIAGE).text
    form = as_officer.get(f"{CONFIRM}?record={assessment}")
    assert "Describes the system before version 2" in main_text(form)
    as_officer.post(CONFIRM, record=assessment, reason=REASON)
    shown = main_text(as_officer.get(TRIAGE)).replace("’", "'")
    assert "must be renewed" not in shown and REASON in shown
    assert "Ines Duarte confirmed that a record is still valid" in shown
    assert "changed substantially" not in main_text(as_officer.get(f"assessments/{assessment}"))
    assert entries("system.record.confirmed") == [
        {"key": "claims-triage", "name": "Assessment Triage, Q3"}
    ]
    assert entries("assessment.confirmed") == [{"title": "Triage, Q3", "version": 2}]
    change("Decides all claims.")
    assert outdated(as_officer) == 1


def test_an_evaluation_is_confirmed_until_the_next_change(as_officer):
    with make.acting("admin"):
        published_suite()
    run = str(judged(log_of(1200, 0)).id)
    change("Decides claims.")
    assert "Run 1 was before version 2" in main_text(as_officer.get(TRIAGE))
    as_officer.post(CONFIRM, record=run, reason=REASON)
    assert outdated(as_officer) == 0
    change("Decides all claims.")
    assert outdated(as_officer) == 1


def test_an_acceptance_is_confirmed_by_neither_its_requester_nor_after_another_score(
    system_id, as_officer, as_reviewer
):
    risk, other = (
        str(risk_helpers.create_risk(title=title, system_ids=[system_id]))
        for title in ("One", "Two")
    )
    for each in (risk, other):
        risk_helpers.accept(each)  # Requested by the officer, accepted by the reviewer.
    change("Decides claims.")
    mine = as_officer.post(CONFIRM, record=risk, reason=REASON, then=422)
    assert "another person must confirm it" in main_text(mine)
    as_reviewer.post(CONFIRM, record=risk, reason=REASON)
    assert risk_helpers.posture(risk).acceptance.name == "accepted"
    assert entries("risk.acceptance.confirmed") == [{"ref": "RSK-1", "score": 20}]
    control = risk_helpers.create_effective_control()
    risk_helpers.mitigate(other, control, steps=1)
    changed = as_reviewer.post(CONFIRM, record=other, reason=REASON, then=422)
    assert "changed after it was accepted at 20" in main_text(changed)


def test_a_reason_and_a_record_are_needed_and_one_confirmed_before_is_told(system_id, as_officer):
    assessment = str(assess(system_id))
    assert "Nothing to confirm" in main_text(as_officer.get(CONFIRM))
    change("Decides claims.")
    as_officer.post(CONFIRM, record=assessment, reason=" ", then=422)
    as_officer.post(CONFIRM, record=str(system_id), reason=REASON, then=422)
    assert outdated(as_officer) == 1
    as_officer.post(CONFIRM, record=assessment, reason=REASON)
    as_officer.post(CONFIRM, record=assessment, reason=REASON, then=422)
    assert len(entries("system.record.confirmed")) == 1


def test_readers_strangers_and_neighbours_confirm_nothing(
    system_id, as_viewer, as_contributor, as_neighbour, as_stranger
):
    assessment = str(assess(system_id))
    change("Decides claims.")
    assert "still-valid" not in as_viewer.get(TRIAGE).text
    for each in (as_viewer, as_contributor):
        each.post(CONFIRM, record=assessment, reason=REASON, then=403)
    for each in (as_neighbour, as_stranger):
        each.get(CONFIRM, then=404)
        each.post(CONFIRM, record=assessment, reason=REASON, then=404)
    assert outdated(as_viewer) == 1
