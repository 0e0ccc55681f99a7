"""A tenant with a year of work, created by the product's own actions.

It is small, so that every number can be counted.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from werkzeug.routing import Rule

from governance.app import factory
from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    conclusion_actions,
    item_actions,
)
from governance.assurance.controls import actions as controls
from governance.assurance.controls import mapping_actions
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.evidence import actions as evidencing
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence import version_actions
from governance.assurance.frameworks import actions as adopting
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from tests import make

NOW = datetime(2026, 11, 25, 9, 24, tzinfo=UTC)
RMF = "nist-ai-rmf-1.0"
# Ref → (title, requirement, evidence, its owner).
STORY = {
    "TST-01": ("Inventory of systems", "GOVERN 1.6", "Inventory export", "reviewer"),
    "TST-02": ("Penetration test", "MEASURE 2.7", "Penetration test report", None),
    "TST-03": ("Incident drill", "MANAGE 2.4", "Drill record", "reviewer"),
    "TST-04": ("User research", "MAP 1.1", "Interview notes", "contributor"),
}


def days_ago(days: int) -> datetime:
    return NOW - timedelta(days=days)


@pytest.fixture(autouse=True)
def fixed_day(app):
    """Freeze every test on 25 November 2026."""
    with clock.frozen(NOW):
        yield


def add_accepted_version(
    evidence_id: UUID, days: int, *, valid_for: int, accepted: bool = True
) -> UUID:
    """Add a version that Jun collected `days` days ago and Ines accepted."""
    day = days_ago(days).date()
    with clock.frozen(days_ago(days)), make.acting("reviewer"):
        version_id = version_actions.link_version(
            evidence.find_evidence(evidence_id),
            "https://files.acme.example/a",
            collected_on=day,
            period_from=day - timedelta(days=365),
            period_to=day,
            valid_until=day + timedelta(days=valid_for),
        ).id
    if accepted:
        with clock.frozen(days_ago(days)), make.acting("compliance_officer"):
            version_actions.accept(*evidence.find_version(version_id))
    return version_id


@pytest.fixture
def year_of_work(app, isolated):
    """Create four controls, each with an evidence item.

    One is accepted, one overdue without an owner, one to review, and one is Anna's, never uploaded.
    """
    found: dict = {"controls": {}, "pieces": {}}
    with clock.frozen(days_ago(300)), make.acting("compliance_officer"):
        adopting.adopt_framework(RMF)
        for ref, (title, wanted, proof, owner) in STORY.items():
            control = controls.create(
                ref,
                ControlContent(
                    title=title,
                    does="It is done.",
                    kind="preventive",
                    automation="manual",
                    cadence="quarterly",
                ),
            )
            mapping_actions.map_to(control, frameworks.requirement(RMF, wanted).id, "full")
            due = days_ago(-5).date() if owner == "contributor" else None
            begun = evidencing.create_item(
                proof,
                kind="report",
                cadence="yearly",
                due_on=due,
                owner_id=owner and make.person_id(owner),
                controls={control.id: ""},
            )
            found["controls"][ref], found["pieces"][ref] = control.id, begun.id
    add_accepted_version(found["pieces"]["TST-01"], 200, valid_for=400)
    add_accepted_version(found["pieces"]["TST-02"], 150, valid_for=138)
    found["pending"] = add_accepted_version(
        found["pieces"]["TST-03"], 3, valid_for=300, accepted=False
    )
    with clock.frozen(days_ago(50)), make.acting("reviewer"):
        held = assessment_actions.start_assessment(
            frameworks.framework(RMF).id,
            title="Q4 2026",
            period_from=days_ago(300).date(),
            period_to=days_ago(-36).date(),
        )
        found["assessment"], found["items"] = (
            held.id,
            {item.ref: item.row.id for item in assessment_queries.items(held.id)},
        )
    with clock.frozen(days_ago(4)), make.acting("reviewer"):
        for ref in ("GOVERN 1.6", "MEASURE 2.7"):
            item = assessment_queries.item(found["items"][ref])
            conclusion_actions.conclude(item, level=2, rationale="As it is.", version=item.version)
    with make.acting("compliance_officer"):
        item_actions.assign(
            assessment_queries.item(found["items"]["MAP 1.1"]),
            make.person_id("contributor"),
            days_ago(-10).date(),
        )
    return found


@pytest.fixture(autouse=True)
def placeholder_pages(app):
    """Add placeholder routes for linked pages that aren't built yet."""
    for name, path in (
        ("heat_map", "frameworks/<key>"),
        ("requirement", "frameworks/<key>/<ref>"),
        ("new", "assessments/new"),
    ):
        if f"assessments.{name}" not in app.view_functions:
            app.url_map.add(Rule(f"/t/<tenant>/{path}", endpoint=f"assessments.{name}"))
            app.view_functions[f"assessments.{name}"] = lambda **_: ""
            factory.TENANT_FEATURES.add("assessments")
