"""Closing freezes the results under a digest; a revision continues them."""

import hashlib
import json

import pytest
from sqlalchemy import func, select

from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
)
from governance.assurance.assessments.models import (
    Assessment,
    SignOff,
)
from governance.assurance.assessments.report_facts import snapshot
from governance.assurance.controls import actions as controls
from governance.assurance.controls import mapping_actions
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.systems import actions as systems
from tests import make
from tests.assurance.assessments.assessment_helpers import (
    KEY,
    PAGE,
    PERIOD,
    conclude,
    entries_of_action,
    framework_id,
)
from tests.assurance.frameworks.framework_files import main_text
from tests.bulk_helpers import confirmation_fields, preview_table


def test_closing_needs_what_is_open_accepted_then_freezes(
    as_officer, as_viewer, as_auditor, acting, open_assessment, measured_item
):  # noqa: PLR0917
    conclude(as_officer, measured_item)
    assert "72 requirements not signed off" in main_text(
        as_officer.get(f"assessments/{open_assessment}/closing")
    )
    assert "72 requirements not signed off" in main_text(
        as_officer.post(f"assessments/{open_assessment}/closing", then=422)
    )
    as_viewer.post(f"assessments/{open_assessment}/closing", accept_open="y", then=403)
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y")
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y", then=422)
    page = main_text(as_auditor.get(f"assessments/{open_assessment}"))
    assert "The digest matches the stored results" in page
    frozen = as_auditor.get(f"assessments/{open_assessment}/frozen.json")
    [entry] = entries_of_action(acting, "assessment.closed")
    assert hashlib.sha256(frozen.data).hexdigest() == entry.facts["digest_without_names"]
    assert json.loads(frozen.data)["functions"][0]["key"] == "GOVERN"


def test_a_closed_assessment_refuses_every_change(
    as_officer, as_reviewer, as_contributor, acting, open_assessment, measured_item
):  # noqa: PLR0917
    conclude(as_officer, measured_item)
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y")
    before = as_officer.get(f"assessments/{open_assessment}/frozen.json").data
    conclude(as_reviewer, measured_item, "Later.", revision=1, then=422)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=1, then=409)
    as_reviewer.post(
        f"assessments/items/{measured_item}/return", reason="No.", revision=1, then=422
    )
    as_reviewer.post(f"assessments/items/{measured_item}/steering", target=1, version=1, then=422)
    as_contributor.post(f"assessments/items/{measured_item}/comments", text="Too late.", then=422)
    assigned = as_officer.post(
        f"{PAGE}/assign",
        ids=[str(measured_item)],
        owner_id=str(make.person_id("contributor")),
        then=200,
    ).text
    assert "Q4 2026 was closed on" in preview_table(assigned, "blocked")[0][
        1
    ] and not confirmation_fields(assigned)
    assert as_officer.get(f"assessments/{open_assessment}/frozen.json").data == before
    text = as_officer.get(f"{PAGE}/MEASURE-2.7").text
    assert "Revise conclusion" not in text and "closed" in text


def test_what_happens_later_does_not_change_what_was_frozen(as_officer, acting, open_assessment):
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y")
    with acting("compliance_officer"):
        before = snapshot(open_assessment, clock.now())
        mapping_actions.map_to(
            session().scalars(select(controls.Control)).one(),
            frameworks.requirement(KEY, "GOVERN-1.1").id,
            "full",
        )
        assert snapshot(open_assessment, clock.now()) == before
        assert before["assessment"]["status"] == "closed" and before["assessment"]["digest"]


def test_the_same_title_for_one_system_is_no_revision_of_the_organisations(
    as_officer, acting, open_assessment
):
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y")
    with acting("compliance_officer"):
        systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="Sorts claims.",
            owner_id=None,
        )
        held = assessment_queries.assessment(open_assessment)
        one = assessment_actions.start_assessment(
            held.framework_id, title=held.title, scope="claims-triage", **PERIOD
        )
        assert [each.id for each in assessment_queries.revisions(held)] == [open_assessment]
        assert [each.id for each in assessment_queries.revisions(one)] == [one.id]


def test_a_new_revision_takes_conclusions_and_signatures_on(
    as_officer, as_reviewer, acting, open_assessment, measured_item
):
    conclude(as_officer, measured_item)
    conclude(as_officer, measured_item, "Twice.", revision=1)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=2)
    as_officer.post(f"assessments/{open_assessment}/reopening", then=409)
    as_officer.post(f"assessments/{open_assessment}/closing", accept_open="y")
    as_officer.post(f"assessments/{open_assessment}/reopening")
    as_officer.post(f"assessments/{open_assessment}/reopening", then=409)
    with acting("compliance_officer", read_only=True):
        again = session().scalars(select(Assessment).where(Assessment.revision == 2)).one()
        carried = next(
            each for each in assessment_queries.items(again.id) if each.ref == "MEASURE 2.7"
        )
        assert (
            carried.judgement.rationale,
            carried.judgement.signer,
            carried.judgement.revision,
        ) == ("Twice.", "Jun Chen", 2)
        assert session().scalar(select(func.count(SignOff.id))) == 2
        assert assessment_queries.current_assessment(again.framework_id).id == again.id
        assert [each["version"] for each in snapshot(again.id, clock.now())["revisions"]] == [
            "1.0",
            "2.0",
        ]
    assert "revision 2" in main_text(as_officer.get(f"assessments/{open_assessment}")).lower()


@pytest.mark.parametrize(
    ("key", "count"), [("owasp-llm-2025", 10), ("soc2-tsc-2017", None), ("nist-ai-600-1", 212)]
)
def test_any_framework_can_be_assessed_and_frozen_whole(as_officer, acting, key, count):
    with acting("compliance_officer"):
        framework = frameworks.framework(key)
        held_id = assessment_actions.start_assessment(framework.id, title="2026", **PERIOD).id
        count = count or sum(each.assessable for each in frameworks.requirements(framework.id))
    as_officer.get(f"assessments/{held_id}")
    as_officer.post(f"assessments/{held_id}/closing", accept_open="y")
    frozen = json.loads(as_officer.get(f"assessments/{held_id}/frozen.json").data)
    assert (
        sum(
            len(category["requirements"])
            for function in frozen["functions"]
            for category in function["categories"]
        )
        == count
    )
    assert f"0 of {count} conclusions signed off" in main_text(
        as_officer.get(f"assessments/{held_id}")
    )


def test_an_assessment_of_one_ai_system_stands_beside_the_organisation_s(
    as_officer, acting, open_assessment
):
    from governance.operations.systems import actions as systems

    with acting("compliance_officer"):
        systems.register(
            key="claims-triage",
            stage="live",
            name="Claims triage",
            lane="high_risk",
            purpose="Sorts claims.",
            owner_id=None,
        )
    form = {
        "framework": str(framework_id(acting)),
        "title": "Claims triage 2026",
        "scope": "claims-triage",
        "period_from": "2026-01-01",
        "period_to": "2026-12-31",
        "targets": "4",
    }
    reply = as_officer.post("assessments/new", **form, follow=True)
    assert "Claims triage" in main_text(reply)
    assert "Q4 2026" in main_text(as_officer.get(PAGE)) and "Claims triage" in main_text(
        as_officer.get("assessments/")
    )
    with acting("compliance_officer", read_only=True):
        scoped = (
            session().scalars(select(Assessment).where(Assessment.scope == "claims-triage")).one()
        )
        assert {each.row.target for each in assessment_queries.items(scoped.id)} == {4}
        assert snapshot(scoped.id, clock.now())["assessment"]["scope_text"] == "Claims triage"
