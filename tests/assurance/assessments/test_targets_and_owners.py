"""Targets, owners and due dates of requirements."""

from datetime import date

from governance.assurance.assessments import (
    assessment_queries,
)
from governance.assurance.frameworks import actions as adopting
from tests import make
from tests.assurance.assessments.assessment_helpers import PAGE, entries_of_action, item_of
from tests.assurance.frameworks.framework_files import main_text
from tests.bulk_helpers import confirm_bulk, flash_messages


def test_target_owner_and_day_are_set_and_a_stale_target_shows_theirs(
    as_officer, as_reviewer, acting, measured_item
):
    anna = str(make.person_id("contributor"))
    as_officer.get(f"assessments/items/{measured_item}/steering")
    as_officer.post(
        f"assessments/items/{measured_item}/steering",
        target=4,
        owner_id=anna,
        due_on="2026-12-11",
        version=1,
    )
    page = main_text(as_officer.get(f"{PAGE}/MEASURE-2.7"))
    assert "Target is 4 Effective" in page and "Anna Rossi" in page
    reply = as_reviewer.post(
        f"assessments/items/{measured_item}/steering",
        target=2,
        owner_id=anna,
        due_on="",
        version=1,
        then=409,
    )
    assert "Someone else changed the target" in main_text(reply) and "4 Effective" in main_text(
        reply
    )
    assert len(entries_of_action(acting, "assessment.target.set")) == 1


def test_an_owner_must_be_a_member_who_can_act(as_officer, acting, measured_item):
    for who in (make.person_id("viewer"), make.person_id("compliance_officer", "globex")):
        as_officer.post(
            f"assessments/items/{measured_item}/steering",
            target=3,
            owner_id=str(who),
            version=1,
            then=422,
        )


def test_several_get_an_owner_and_a_due_date_at_once(as_officer, acting, open_assessment):
    ids = [str(item_of(acting, open_assessment, ref)) for ref in ("MEASURE 2.7", "MEASURE 2.11")]
    anna = str(make.person_id("contributor"))
    reply = confirm_bulk(
        as_officer, f"{PAGE}/assign", ids=ids, owner_id=anna, due_on="2026-12-11", follow=True
    )
    assert (
        "2 requirements are now assigned to Anna Rossi. 2 requirements are due on 11 December 2026."
        in flash_messages(reply.text)
    )
    assert (
        "Choose an owner or a due date."
        in as_officer.post(f"{PAGE}/assign", ids=ids, then=422).text
    )
    back = confirm_bulk(
        as_officer, f"{PAGE}/assign", ids=ids, owner_id="none", back="https://evil.example/"
    )
    assert back.location == f"/t/acme/{PAGE}"
    with acting("compliance_officer", read_only=True):
        rows = [
            each.row
            for each in assessment_queries.items(open_assessment)
            if each.ref in {"MEASURE 2.7", "MEASURE 2.11"}
        ]
        assert {(row.owner_id, row.due_on) for row in rows} == {(None, date(2026, 12, 11))}
    assert len(entries_of_action(acting, "assessment.item.assigned")) == 4


def test_a_requirement_of_another_framework_is_not_in_this_list(as_officer, measured_item):
    with make.acting("compliance_officer"):
        adopting.adopt_framework("soc2-tsc-2017")
    as_officer.post(
        "frameworks/soc2-tsc-2017/assign", then=404, ids=[str(measured_item)], due_on="2026-12-11"
    )
