"""Conclusions: one person concludes, another signs off, and both discuss."""

import re

import pytest
from sqlalchemy import func, select

from governance.assurance.assessments.models import (
    Comment,
    Conclusion,
)
from governance.kernel.data.db import session
from tests.assurance.assessments.assessment_helpers import (
    PAGE,
    conclude,
    entries_of_action,
    item_of,
)
from tests.assurance.frameworks.framework_files import main_text


def test_one_person_concludes_and_another_signs_off(
    as_officer, as_reviewer, acting, open_assessment, measured_item
):
    conclude(as_officer, measured_item)
    page = main_text(as_reviewer.get(f"{PAGE}/MEASURE-2.7"))
    assert (
        "It is designed well, and not proved." in page
        and "Sign off revision 1" in page
        and "Ines Duarte" in page
    )
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=1)
    page = main_text(as_viewer_page(as_reviewer))
    assert "signed off" in page and "Jun Chen" in page
    [signed] = entries_of_action(acting, "assessment.conclusion.signed_off")
    assert signed.facts == {"level": 2, "revision": 1, "requirement": "MEASURE 2.7"}
    [concluded] = entries_of_action(acting, "assessment.conclusion.recorded")
    assert "designed well" not in str(concluded.facts) + str(concluded.body)


def as_viewer_page(visitor):
    return visitor.get(f"{PAGE}/MEASURE-2.7")


def test_the_assessor_cannot_sign_off_their_own(as_officer, acting, measured_item):
    conclude(as_officer, measured_item)
    assert "another person must sign it off or return it" in main_text(
        as_officer.get(f"{PAGE}/MEASURE-2.7")
    )
    as_officer.post(f"assessments/items/{measured_item}/signature", revision=1, then=403)
    assert not entries_of_action(acting, "assessment.conclusion.signed_off")


def test_a_red_reason_keeps_sign_off_closed(as_officer, as_reviewer, acting, open_assessment):
    """Keep sign-off closed for MEASURE 2.12, which no control covers."""
    bare = item_of(acting, open_assessment, "MEASURE 2.12")
    conclude(as_officer, bare, level=0)
    assert "You can sign off this conclusion once nothing has failed" in main_text(
        as_reviewer.get(f"{PAGE}/MEASURE-2.12")
    )
    reply = as_reviewer.post(f"assessments/items/{bare}/signature", revision=1, then=409)
    assert "No control is mapped." in main_text(reply)


def test_what_is_signed_is_what_was_read(as_officer, as_reviewer, acting, measured_item):
    conclude(as_officer, measured_item)
    conclude(as_officer, measured_item, "Seen again: it holds.", revision=1)
    reply = as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=1, then=409)
    assert "now at revision 2" in main_text(reply)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=2)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=2, then=409)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision="two", then=409)
    assert len(entries_of_action(acting, "assessment.conclusion.signed_off")) == 1


def test_two_people_concluding_at_once_lose_nothing(as_officer, as_reviewer, acting, measured_item):
    conclude(as_officer, measured_item, "The first one's words.")
    reply = conclude(as_reviewer, measured_item, "The second one's words.", level=3, then=409)
    page = main_text(reply)
    assert (
        "Ines Duarte wrote revision 1" in page
        and "The first one's words." in page
        and "The second one's words." in page
    )
    revision = re.search(r'<input[^>]*name="revision"[^>]*value="(\d+)"', reply.text)[1]
    conclude(as_reviewer, measured_item, "The second one's words.", level=3, revision=revision)
    with acting("compliance_officer", read_only=True):
        rows = (
            session()
            .scalars(
                select(Conclusion)
                .where(Conclusion.item_id == measured_item)
                .order_by(Conclusion.revision)
            )
            .all()
        )
        assert [(row.revision, row.level) for row in rows] == [(1, 2), (2, 3)]


def test_a_double_click_concludes_once(as_officer, acting, measured_item):
    conclude(as_officer, measured_item)
    conclude(as_officer, measured_item)
    assert len(entries_of_action(acting, "assessment.conclusion.recorded")) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("rationale", "  "), ("rationale", "x" * 4001), ("level", "5"), ("level", "")],
)
def test_a_conclusion_needs_a_level_and_a_reason(as_officer, acting, measured_item, field, value):
    form = {"level": "2", "rationale": "Because.", "revision": "0", field: value}
    as_officer.post(f"assessments/items/{measured_item}/conclusion", **form, then=422)
    assert not entries_of_action(acting, "assessment.conclusion.recorded")


def test_a_conclusion_is_returned_with_the_reason_and_revised(
    as_officer, as_reviewer, acting, measured_item
):
    conclude(as_officer, measured_item)
    as_officer.post(
        f"assessments/items/{measured_item}/return", reason="Mine.", revision=1, then=403
    )
    as_reviewer.post(f"assessments/items/{measured_item}/return", reason=" ", revision=1, then=422)
    as_reviewer.get(f"assessments/items/{measured_item}/return")
    as_reviewer.post(
        f"assessments/items/{measured_item}/return",
        reason="The third system is not looked at.",
        revision=1,
    )
    assert "The third system is not looked at." in main_text(as_officer.get(f"{PAGE}/MEASURE-2.7"))
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=1, then=409)
    conclude(as_officer, measured_item, "All three were looked at.", revision=1)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=2)
    [returned] = entries_of_action(acting, "assessment.conclusion.returned")
    assert "third system" not in str(returned.facts) + str(returned.body)


def test_nothing_to_return_or_sign_before_a_conclusion(as_reviewer, measured_item):
    as_reviewer.get(f"assessments/items/{measured_item}/return", then=404)
    as_reviewer.post(f"assessments/items/{measured_item}/signature", revision=1, then=409)


def test_who_may_judge(as_contributor, as_viewer, as_auditor, measured_item):
    for visitor in (as_contributor, as_viewer, as_auditor):
        visitor.get(f"assessments/items/{measured_item}/conclusion", then=403)
        conclude(visitor, measured_item, then=403)
        visitor.post(f"assessments/items/{measured_item}/signature", revision=1, then=403)
        text = visitor.get(f"{PAGE}/MEASURE-2.7").text
        assert "Write conclusion" not in text and "Map control" not in text


def test_a_contributor_takes_part_in_the_discussion(
    as_contributor, as_viewer, acting, measured_item
):
    as_contributor.post(
        f"assessments/items/{measured_item}/comments", text="I get the report on <Thursday>."
    )
    as_contributor.post(
        f"assessments/items/{measured_item}/comments", text="I get the report on <Thursday>."
    )
    as_contributor.post(f"assessments/items/{measured_item}/comments", text="  ", then=422)
    as_viewer.post(f"assessments/items/{measured_item}/comments", text="Me too.", then=403)
    text = as_viewer.get(f"{PAGE}/MEASURE-2.7").text
    assert "I get the report on &lt;Thursday&gt;." in text
    with acting("compliance_officer", read_only=True):
        assert session().scalar(select(func.count(Comment.id))) == 1
