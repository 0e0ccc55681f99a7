"""The tenant's role, the day on the market, and the resulting duties in the register."""

import pytest

from governance.assurance.controls import mapping_actions
from governance.assurance.controls import queries as controls
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.operations.intake import law
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as register
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.assurance.frameworks.framework_files import main_text
from tests.browser import field_value
from tests.operations.intake.intake_helpers import approval_of, decide, propose
from tests.publishing.system_documents.document_helpers import (
    IMPACT,
    evidence_ref,
    write_open_points,
)

SYSTEM = "systems/claims-triage"


@pytest.fixture(autouse=True)
def registered(database):
    with make.acting("admin"):
        systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="Sorts claims.",
            owner_id=None,
            facts={
                "ai_act_class": "high_risk",
                "ai_act_reason": "Annex III, point 5.",
                "eu_role": "deployer",
                "placed_on": "2025-06-01",
            },
        )


def edit(visitor, *, then=303, **changed):
    fields = {
        "name": "Claims triage",
        "purpose": "Sorts claims.",
        "kind": "system",
        "ai_act_class": "high_risk",
        "ai_act_reason": "Annex III, point 5.",
        "eu_role": "deployer",
        "placed_on": "2025-06-01",
    }
    seen = field_value(visitor.get(f"{SYSTEM}/edit").text, "seen")
    return visitor.post(f"{SYSTEM}/edit", then=then, seen=seen, **{**fields, **changed})


def version(number):
    with make.acting("viewer", read_only=True):
        found = register.system("claims-triage")
        kept = register.version(found.id, number)
        return kept.content, kept.substantial


@pytest.mark.parametrize(
    ("ai_act_class", "title", "says"),
    [
        ("", "Claims triage: not classified yet", "Its duties aren’t known yet"),
        ("out_of_scope", "Claims triage: 0 duties", "The Act names no duties"),
    ],
)
def test_duties_of_no_class_are_unknown_and_not_none(as_officer, ai_act_class, title, says):
    edit(as_officer, ai_act_class=ai_act_class, eu_role="")
    page = main_text(as_officer.get(f"{SYSTEM}/duties"))
    assert title in page and says in page
    assert "duties of every role are listed" not in page


def test_versions_keep_role_day_and_law_and_another_role_is_substantial(as_officer):
    content, _reasons = version(1)
    assert (content["eu_role"], content["placed_on"]) == ("deployer", "2025-06-01")
    assert content["law_version"] == law.AMENDED
    edit(as_officer, placed_on="2025-07-01")
    assert version(2)[1] == []
    edit(as_officer, placed_on="2025-07-01", eu_role="both")
    assert version(3)[1] == ["eu_role"]
    text = main_text(as_officer.get(f"{SYSTEM}/versions/3"))
    assert "Provider and deployer" in text
    text = main_text(as_officer.get(SYSTEM))
    assert "Provider and deployer" in text and "1 Jul 2025" in text


@pytest.mark.parametrize("given", [{"eu_role": "owner"}, {"placed_on": "yesterday"}])
def test_a_wrong_role_or_day_is_refused_beside_its_field(as_officer, given):
    page = edit(as_officer, then=422, **given)
    assert f'href="#{next(iter(given))}"' in page.text
    with make.acting("viewer", read_only=True):
        assert register.system("claims-triage").version == 1


def test_the_duties_of_a_system_follow_its_class_and_role(as_officer, as_viewer):
    page = as_viewer.get(f"{SYSTEM}/duties")
    text = main_text(page)
    ours, _, theirs = text.partition("Your duties")[2].partition("Ask your vendor")
    assert "Use it as instructed" in ours and "2 December 2027, in " in ours
    assert "Technical file with the points of Annex IV" in theirs and "Technical file" not in ours
    assert "Open" in ours and "Confirm with counsel." in ours
    assert "It has no intake answers" in text
    assert "data-copy=" in page.text and "About Claims triage: please show us" in page.text
    assert f"{SYSTEM}/duties" in as_viewer.get(SYSTEM).text
    assert "Article 111(2)" in text and "duties begin on 2 August 2028" in text
    assert ", from 2 December 2027" in page.text
    edit(as_officer, eu_role="provider", placed_on="")
    assert "Article 111(2)" not in main_text(as_viewer.get(f"{SYSTEM}/duties"))
    ours = main_text(as_viewer.get(f"{SYSTEM}/duties")).partition("Ask your vendor")[0]
    assert "Technical file with the points of Annex IV" in ours


def test_a_system_without_a_class_has_no_duties_and_no_tab(as_officer):
    edit(as_officer, ai_act_class="", ai_act_reason="")
    assert f"{SYSTEM}/duties" not in as_officer.get(SYSTEM).text
    assert "Classify the system" in main_text(as_officer.get(f"{SYSTEM}/duties"))


def test_the_duties_of_an_approved_proposal_follow_its_answers(as_contributor, as_officer):
    made = propose(as_contributor, role="deployer")
    decide(as_officer, approval_of(as_officer, made))
    text = main_text(as_officer.get("systems/premium-advisor/duties"))
    assert "Impact on fundamental rights" in text and "PRO-1" in text
    assert "It has no intake answers" not in text and "2 August 2028" not in text
    assert "Your role isn’t stated" not in text


def test_another_tenant_sees_no_duties(as_neighbour, as_stranger):
    as_neighbour.get(f"{SYSTEM}/duties", then=404)
    as_stranger.get(f"{SYSTEM}/duties", then=404)


def test_a_control_or_a_completed_document_is_the_state_of_a_duty(as_officer, as_neighbour):
    control = evidence_helpers.create_control()
    with make.acting("compliance_officer"):
        adopting.adopt_framework("nist-ai-rmf-1.0")
        requirement = frameworks.requirement("nist-ai-rmf-1.0", "MAP 3.5")
        mapping_actions.map_to(controls.find_control(control), requirement.id, "full")
    text = main_text(as_officer.get(f"{SYSTEM}/duties"))
    assert "Control SEC-04 for MAP 3.5" in text and "Impact assessment, version 1" not in text
    as_officer.post(IMPACT)
    assert "Impact assessment, version 1" not in main_text(as_officer.get(f"{SYSTEM}/duties"))
    write_open_points(as_officer, f"{IMPACT}/1", evidence_ref())
    as_officer.post(f"{IMPACT}/1/complete")
    page = as_officer.get(f"{SYSTEM}/duties")
    text = main_text(page)
    assert "Impact assessment, version 1, point C.1" in text
    assert "Impact on fundamental rights Article 27" in text and "system-documents/" in page.text
    made = propose(as_neighbour, role="deployer")
    assert "SEC-04" not in main_text(as_neighbour.get(f"intake/{made}"))
