"""Starting an assessment: its items, targets and rules."""

from datetime import date

import pytest
from sqlalchemy import func, select

from governance.assurance.assessments import (
    assessment_actions,
    assessment_queries,
    item_actions,
)
from governance.assurance.assessments.models import (
    AssessmentItem,
)
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.data.db import session
from tests import make
from tests.assurance.assessments.assessment_helpers import (
    KEY,
    PERIOD,
    entries_of_action,
    framework_id,
)
from tests.assurance.frameworks.framework_files import main_text


def test_an_assessment_is_begun_once_with_every_requirement_and_one_entry(as_officer, acting):
    form = {
        "framework": str(framework_id(acting)),
        "title": "Q4 2026",
        "scope": "organisation",
        "period_from": "2026-01-01",
        "period_to": "2026-12-31",
        "targets": "last",
    }
    text = main_text(as_officer.post("assessments/new", **form, follow=True))
    assert "Q4 2026" in text and "72" in text
    as_officer.post("assessments/new", **form, then=422)
    with acting("compliance_officer", read_only=True):
        assert session().scalar(select(func.count(AssessmentItem.id))) == 72
        assert set(session().scalars(select(AssessmentItem.target))) == {3}
    assert len(entries_of_action(acting, "assessment.started")) == 1


def test_targets_and_owners_come_from_the_last_one(acting, open_assessment, measured_item):
    with acting("compliance_officer"):
        item_actions.set_target(assessment_queries.item(measured_item), 4, version=1)
        item_actions.assign(
            assessment_queries.item(measured_item), make.person_id("contributor"), None
        )
    with acting("compliance_officer"):
        later = assessment_actions.start_assessment(
            frameworks.framework(KEY).id,
            title="Q1 2027",
            period_from=date(2026, 4, 1),
            period_to=date(2027, 3, 31),
        )
        copied = next(
            each for each in assessment_queries.items(later.id) if each.ref == "MEASURE 2.7"
        )
        assert (copied.row.target, copied.owner) == (4, "Anna Rossi")


def test_items_are_written_in_one_statement(acting, statements, open_assessment):
    with acting("compliance_officer"):
        framework = frameworks.framework(KEY)
        with statements() as seen:
            assessment_actions.start_assessment(framework.id, title="Another", **PERIOD)
        assert len([s for s in seen if "assessment_items" in s and s.startswith("INSERT")]) == 1


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("title", "", "Enter a title"),
        ("period_to", "2025-01-01", "must end after it starts"),
        ("period_to", "2036-01-01", "three years"),
        ("scope", "nothing-here", "choose an option from the list"),
        ("period_from", "yesterday", "such as 2026-11-25"),
        ("targets", "9", "choose an option from the list"),
    ],
)
def test_what_cannot_be_begun_is_named(as_officer, acting, field, value, says):
    form = {
        "framework": str(framework_id(acting)),
        "title": "X",
        "scope": "organisation",
        "period_from": "2026-01-01",
        "period_to": "2026-12-31",
        "targets": "last",
    }
    assert says in main_text(as_officer.post("assessments/new", **{**form, field: value}, then=422))


def test_only_admins_and_officers_begin(as_admin, as_contributor, as_viewer, as_auditor):
    as_admin.get("assessments/new")
    for visitor in (as_contributor, as_viewer, as_auditor):
        visitor.get("assessments/new", then=403)
        visitor.post("assessments/new", title="X", then=403)
