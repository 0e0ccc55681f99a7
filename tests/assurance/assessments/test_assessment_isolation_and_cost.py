"""Other tenants see nothing, and a page costs four statements."""

import json

import pytest

from governance.assurance.assessments import (
    assessment_queries,
    board_queries,
    conclusion_actions,
    conclusion_queries,
)
from governance.assurance.assessments.report_facts import snapshot
from governance.assurance.controls import adoption_actions
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import clock
from governance.kernel.errors import Stale
from tests import make
from tests.assurance.assessments.assessment_helpers import KEY, PAGE


def test_another_tenant_sees_and_changes_nothing(
    as_stranger, as_neighbour, acting, open_assessment, measured_item
):
    for path in (PAGE, f"{PAGE}/MEASURE-2.7", "assessments/", f"assessments/{open_assessment}"):
        assert as_stranger.get(path, then=None).status_code in {302, 401, 403, 404}
    for path in (
        f"assessments/{open_assessment}",
        f"assessments/{open_assessment}/closing",
        f"assessments/{open_assessment}/frozen.json",
        f"assessments/items/{measured_item}/conclusion",
        f"assessments/items/{measured_item}/steering",
    ):
        as_neighbour.get(f"/t/globex/{path}", then=404)
    for path, form in (
        (
            f"assessments/items/{measured_item}/conclusion",
            {"level": 1, "rationale": "x", "revision": 0},
        ),
        (f"assessments/items/{measured_item}/signature", {"revision": 1}),
        (f"assessments/items/{measured_item}/comments", {"text": "x"}),
        (f"assessments/{open_assessment}/closing", {"accept_open": "y"}),
        (f"assessments/{open_assessment}/reopening", {}),
    ):
        as_neighbour.post(f"/t/globex/{path}", **form, then=404)
    as_neighbour.post(
        f"/t/globex/{PAGE}/assign",
        ids=[str(measured_item)],
        owner_id=str(make.person_id("compliance_officer", "globex")),
        then=404,
    )
    with acting("compliance_officer", "globex", read_only=True):
        assert not assessment_queries.assessments() and not conclusion_queries.conclusion_progress()
        assert board_queries.board(frameworks.framework(KEY)).assessment is None


def test_a_page_costs_four_statements_whatever_the_rows(acting, statements, open_assessment):
    def cost():
        with acting("compliance_officer", read_only=True):
            framework = frameworks.framework(KEY)
            frameworks.requirements(framework.id)
            with statements() as seen:
                board_queries.board(framework)
            return len(seen)

    small = cost()
    with acting("compliance_officer"):
        adoption_actions.adopt()
    assert cost() == small <= 3


def test_a_stale_writer_is_told_whose_words_were_first(acting, open_assessment, measured_item):
    with acting("compliance_officer"):
        conclusion_actions.conclude(
            assessment_queries.item(measured_item), level=2, rationale="First.", revision=0
        )
    with acting("reviewer"), pytest.raises(Stale) as told:
        conclusion_actions.conclude(
            assessment_queries.item(measured_item), level=3, rationale="Second.", revision=0
        )
    assert told.value.changes == {"level": (3, 2), "rationale": ("Second.", "First.")}


def test_the_snapshot_is_what_the_report_reads(acting, open_assessment):
    from governance.publishing.reports.ai_rmf.figures import figures

    with acting("compliance_officer"):
        adoption_actions.adopt()
        facts = snapshot(open_assessment, clock.now())
    counted = figures({**facts, "as_of": "2026-11-25T10:00:00Z"})
    assert counted.whole.total == 72 and sum(counted.whole.levels) == 72
    assert len(facts["movement"]) == 1 and facts["movement"][-1]["levels"] == list(
        counted.whole.levels
    )
    assert json.loads(json.dumps(facts)) == facts


@pytest.mark.slow
def test_the_pages_ask_the_database_as_often_for_sixty_controls_as_for_one(
    as_officer, acting, statements, open_assessment
):
    """Allow four statements: the assessment with its items, controls, evidence, possible owners.

    The others read who is signed in.
    """

    def cost(path):
        as_officer.get(path)
        with statements() as seen:
            as_officer.get(path)
        return len(seen)

    paths = (PAGE, f"{PAGE}/requirements", f"{PAGE}/MEASURE-2.7", f"assessments/{open_assessment}")
    before = [cost(path) for path in paths]
    floor = cost("frameworks/") - 1
    with acting("compliance_officer"):
        adoption_actions.adopt()
    assert [cost(path) for path in paths] == before
    assert before[0] - floor <= 4 and before[1] - floor <= 4
