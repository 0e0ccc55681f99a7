"""Results, exceptions, findings and retests."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select

from governance.assurance.controls import control_ledger
from governance.assurance.controls.status import last_test, status
from governance.assurance.testing import (
    control_scope,
    exception_actions,
    exception_queries,
    sample_queries,
)
from governance.assurance.testing.models import (
    Finding,
    ItemResult,
    TestException,
)
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from tests import make
from tests.assurance.testing import type2_helpers
from tests.assurance.testing.form_helpers import count_rows, entries_of_action


def status_word(control_id):
    with make.acting(read_only=True):
        facts = control_ledger.ledger(control_id).of(control_id, clock.now())
        return status(
            facts, today=clock.today(), period_from=date(2020, 1, 1), period_to=clock.today()
        ).word, last_test(facts)


def test_a_failed_item_opens_an_exception_and_lowers_the_control(as_auditor):
    control = type2_helpers.create_control()
    sample = type2_helpers.draw_sample(type2_helpers.freeze_population(control))
    type2_helpers.record_results(sample, set(range(2, 26)))
    with make.acting(read_only=True):
        first = str(sample_queries.items(sample)[0].item.id)
    as_auditor.get(f"evidence/type-ii/items/{first}")
    as_auditor.post(f"evidence/type-ii/items/{first}", then=422, a0="no", a1="yes")
    page = as_auditor.post(
        f"evidence/type-ii/items/{first}", follow=True, a0="no", a1="yes", note="Nobody signed"
    )
    assert "1 of 25 failed" in page.text and "EXC-01" in page.text
    word, last = status_word(control)
    assert word == "1 of 25 failed" and last.finding_ref == "EXC-01"
    assert count_rows(TestException) == 1
    (entry,) = entries_of_action("test.exception.opened")
    assert entry.facts["ref"] == "EXC-01" and "says" in entry.sealed


def test_a_sample_that_passes_is_a_passed_test(as_officer):
    control = type2_helpers.create_control()
    sample = type2_helpers.draw_sample(type2_helpers.freeze_population(control))
    with make.acting(read_only=True):
        ids = [str(v.item.id) for v in sample_queries.items(sample)]
    page = as_officer.post(
        f"evidence/type-ii/samples/{sample}/results", follow=True, ids=ids, a0="yes", a1="na"
    )
    assert "all 25 passed" in page.text
    assert (status_word(control)[1].sample, status_word(control)[1].failed) == (25, 0)


def test_a_result_is_superseded_and_never_deleted(as_officer):
    control, sample, exception = type2_helpers.create_failed_sample()
    with make.acting(read_only=True):
        item = next(v.item.id for v in sample_queries.items(sample) if v.item.number == 17)
    as_officer.post(f"evidence/type-ii/items/{item}", then=422, a0="yes", a1="yes")
    as_officer.post(
        f"evidence/type-ii/items/{item}", a0="yes", a1="yes", note="The signature was in the annex"
    )
    page = as_officer.get(f"evidence/type-ii/items/{item}")
    assert "superseded" in page.text and "Release without sign-off" in page.text
    assert count_rows(ItemResult) == 26 and count_rows(TestException) == 1
    assert (
        "Superseded, item passed later"
        in as_officer.get(f"evidence/type-ii/exceptions/{exception}").text
    )
    assert status_word(control)[1].failed == 0


def test_items_of_another_sample_and_empty_ticks_are_refused(as_officer):
    _, sample, _ = type2_helpers.create_failed_sample()
    other = type2_helpers.draw_sample(
        type2_helpers.freeze_population(type2_helpers.create_control("SEC-08")), seed="1"
    )
    with make.acting(read_only=True):
        foreign = str(sample_queries.items(other)[0].item.id)
    as_officer.post(
        f"evidence/type-ii/samples/{sample}/results", then=422, ids=[foreign], a0="yes", a1="yes"
    )
    page = as_officer.post(
        f"evidence/type-ii/samples/{sample}/results", then=422, a0="yes", a1="yes"
    )
    assert "Select the items that you tested" in page.text
    page = as_officer.post(
        f"evidence/type-ii/samples/{other}/results", then=422, ids=[foreign], a0="na", a1="na"
    )
    assert "At least one attribute must apply" in page.text


def test_an_exception_goes_the_whole_way_to_a_passed_retest(as_officer, as_contributor, as_auditor):
    control, _, exception = type2_helpers.create_failed_sample()
    page = f"evidence/type-ii/exceptions/{exception}"
    as_officer.get(page)
    said = {
        "cause": "The gate was off",
        "effect": "One release unsigned",
        "correction": "Signed on Monday",
        "response": "The gate stays on",
    }
    as_officer.post(page, then=422, **said | {"response": " "}, version="1")
    as_officer.post(page, **said, version="1")
    as_officer.post(page, then=409, **said | {"cause": "Another"}, version="1")
    plan = {
        "title": "The gate can be turned off",
        "plan": "Remove the switch",
        "owner_id": str(make.person_id("contributor")),
    }
    as_officer.post(
        f"{page}/finding", then=422, **plan, due_on=str(clock.today() - timedelta(days=1))
    )
    as_officer.post(f"{page}/finding", **plan, due_on=str(clock.today() + timedelta(days=19)))
    as_officer.post(
        f"{page}/finding", then=422, **plan, due_on=str(clock.today() + timedelta(days=19))
    )
    with make.acting(read_only=True):
        finding = session().scalars(select(Finding.id)).one()
    assert "FND-01" in as_officer.get("evidence/type-ii/findings").text
    tried = {
        "tested_on": str(clock.today()),
        "sample": "10",
        "failed": "0",
        "note": "Ten releases, all signed",
    }
    early = as_auditor.post(f"evidence/type-ii/findings/{finding}/retest", then=422, **tried)
    assert "Retest it once it is reported as fixed." in early.text
    as_contributor.post(f"evidence/type-ii/findings/{finding}/remedy", remedy="The switch is gone")
    as_contributor.post(f"evidence/type-ii/findings/{finding}/retest", then=403, **tried)
    shown = as_auditor.post(
        f"evidence/type-ii/findings/{finding}/retest",
        follow=True,
        **tried | {"failed": "1", "note": "One unsigned"},
    )
    assert "stays open" in shown.text and status_word(control)[0] == "1 of 10 failed"
    as_contributor.post(f"evidence/type-ii/findings/{finding}/remedy", remedy="Now it is")
    shown = as_auditor.post(f"evidence/type-ii/findings/{finding}/retest", follow=True, **tried)
    assert "Closed, retest passed" in shown.text and "FND-01 is closed" in shown.text
    assert status_word(control)[1].failed == 0
    assert [e.facts["closed"] for e in entries_of_action("finding.retested")] == [False, True]
    assert "EXC-01" in as_auditor.get("evidence/type-ii/exceptions").text


def test_who_fixed_it_does_not_retest_it(as_officer):
    _, _, exception = type2_helpers.create_failed_sample()
    with make.acting():
        held = exception_queries.exception(exception)
        found = exception_actions.raise_finding(
            held, title="T", plan="P", owner_id=make.person_id("contributor"), due_on=clock.today()
        )
        exception_actions.report_fixed(found, "Done")
        finding = found.id
    tried = {"tested_on": str(clock.today()), "sample": "10", "failed": "0", "note": "Tried"}
    assert (
        "so another person must retest it"
        in as_officer.post(f"evidence/type-ii/findings/{finding}/retest", then=403, **tried).text
    )


def test_telling_again_that_it_is_fixed_does_not_make_somebody_else_of_who_fixed_it(as_officer):
    """Keep the person who fixed it, although another person sends an old form.

    Otherwise the one who fixed it could close it.
    """
    _, _, exception = type2_helpers.create_failed_sample()
    with make.acting():
        held = exception_queries.exception(exception)
        found = exception_actions.raise_finding(
            held, title="T", plan="P", owner_id=make.person_id("contributor"), due_on=clock.today()
        )
        exception_actions.report_fixed(found, "Done")
        exception_actions.report_fixed(found, "Done")  # A double click.
        finding = found.id
    assert [e.facts["ref"] for e in entries_of_action("finding.remediated")] == ["FND-01"]
    with make.acting("admin"):
        found, _ = exception_queries.finding(finding, lock=True)
        with pytest.raises(DomainError, match="already reported as fixed"):
            exception_actions.report_fixed(found, "Done, I hear")
    tried = {"tested_on": str(clock.today()), "sample": "10", "failed": "0", "note": "Tried"}
    assert (
        "so another person must retest it"
        in as_officer.post(f"evidence/type-ii/findings/{finding}/retest", then=403, **tried).text
    )


def test_exceptions_and_hand_recorded_tests_share_one_row_of_numbers(acting):
    from governance.assurance.controls import control_test_actions

    control = type2_helpers.create_control("GOV-01", "yearly")
    with acting():
        test = control_test_actions.record_test(
            control_scope.control_in_scope(control),
            tested_on=clock.today(),
            sample=4,
            failed=1,
            finding="One was missing",
        )
        assert test.finding_ref == "EXC-01"
    type2_helpers.create_failed_sample()
    with acting():
        assert session().scalars(select(TestException.ref)).one() == "EXC-02"
