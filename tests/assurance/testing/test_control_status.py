"""A control's status from its samples: an open exception fails it until its own retest passes."""

import random

import pytest
from sqlalchemy import select

from governance.assurance.controls import control_ledger, control_test_actions
from governance.assurance.controls import queries as controls
from governance.assurance.controls.models import ControlTest
from governance.assurance.controls.status import last_test, status
from governance.assurance.testing import (
    exception_actions,
    exception_queries,
    matrix_queries,
    sample_queries,
)
from governance.assurance.testing.models import ItemResult
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden
from tests import make
from tests.assurance.testing import type2_helpers
from tests.assurance.testing.type2_helpers import remediate_exception


def control_status(control_id):
    """Return (name of the status, its label)."""
    with make.acting(read_only=True):
        facts = control_ledger.ledger(control_id).of(control_id, clock.now())
        found = status(
            facts, today=clock.today(), period_from=clock.today(), period_to=clock.today()
        )
        return found.name, found.word


def exceptions_of(control_id):
    """Return (exception, item, whether it is open) of each."""
    with make.acting(read_only=True):
        found = exception_queries.exceptions(control_id=control_id)
        return [(c.exception.id, c.item.id, c.state not in {"closed", "set aside"}) for c in found]


def recorded_tests(control_id):
    with make.acting(read_only=True):
        rows = session().scalars(
            select(ControlTest).where(ControlTest.control_id == control_id).order_by(ControlTest.id)
        )
        return [(t.sample, t.failed, t.unsettled) for t in rows]


def test_a_second_sample_that_passes_does_not_lift_what_the_first_one_found(database):
    control, _, exception = type2_helpers.create_failed_sample()
    type2_helpers.record_results(
        type2_helpers.draw_sample(
            type2_helpers.freeze_population(control, key="other"), seed="abcd"
        )
    )
    assert control_status(control) == ("failing", "1 of 25 failed")
    remediate_exception(exception)
    assert control_status(control)[0] != "failing"


def test_an_item_that_fails_again_after_it_was_set_aside_fails_the_control_again(database):
    control, sample, _ = type2_helpers.create_failed_sample()
    type2_helpers.record_results(sample, {17}, "yes", "Found it after all")
    assert control_status(control)[0] != "failing"
    type2_helpers.record_results(sample, {17}, "no", "Release without sign-off")
    assert control_status(control) == ("failing", "1 of 25 failed")


def test_the_same_retest_twice_in_a_day_closes_the_second_time_too(database):
    """Count the second retest of the same size, too, although it looks like the earlier one."""
    control, sample, one = type2_helpers.create_failed_sample()
    remediate_exception(one)
    type2_helpers.record_results(
        type2_helpers.draw_sample(
            type2_helpers.freeze_population(control, key="other"), seed="abcd"
        ),
        {1},
        "no",
        "Nobody signed",
    )
    two = next(exception for exception, _, is_open in exceptions_of(control) if is_open)
    assert control_status(control)[0] == "failing"
    remediate_exception(two)
    assert control_status(control)[0] != "failing"


def test_one_of_two_exceptions_that_is_closed_leaves_the_other_standing(database):
    control, _, _ = type2_helpers.create_failed_sample()
    other = type2_helpers.draw_sample(type2_helpers.freeze_population(control), seed="ee")
    type2_helpers.record_results(other, {1, 2}, "no", "Nobody signed")
    assert len(exceptions_of(control)) == 3
    for exception, _, _ in exceptions_of(control):
        assert control_status(control)[0] == "failing"
        remediate_exception(exception)
    assert control_status(control)[0] != "failing"


def test_a_test_by_hand_neither_lifts_an_open_exception_nor_is_lost_as_the_twin_of_an_earlier_one(
    database,
):
    control, _, exception = type2_helpers.create_failed_sample()

    def tried(failed):
        with make.acting("reviewer"):
            control_test_actions.record_test(
                controls.find_control(control),
                tested_on=clock.today(),
                sample=4,
                failed=failed,
                finding="Broken" if failed else "",
            )

    tried(0)
    assert control_status(control) == ("failing", "1 of 25 failed")
    remediate_exception(exception)
    assert control_status(control)[0] != "failing"
    tried(1)
    tried(1)
    tried(0)
    assert control_status(control)[0] != "failing"
    tried(1)
    assert control_status(control) == ("failing", "1 of 4 failed")
    assert [t for t in recorded_tests(control) if t[0] == 4] == [
        (4, 0, None),
        (4, 1, None),
        (4, 0, None),
        (4, 1, None),
    ]


def test_what_a_retest_closed_and_what_was_set_aside_is_not_turned_over(database):
    control, sample, exception = type2_helpers.create_failed_sample()
    type2_helpers.record_results(sample, {17}, "yes", "Found it after all")
    with make.acting(), pytest.raises(DomainError, match="superseded"):
        exception_actions.raise_finding(
            exception_queries.exception(exception),
            title="T",
            plan="P",
            owner_id=make.person_id("contributor"),
            due_on=clock.today(),
        )
    type2_helpers.record_results(sample, {17}, "no", "It was another release")
    remediate_exception(exception)
    for said in ("yes", "no"):
        with pytest.raises(DomainError, match="A retest closed EXC-01"):
            type2_helpers.record_results(sample, {17}, said, "Once more")


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happens_in_whatever_order_the_control_fails_exactly_while_an_exception_is_open(
    database, seed
):
    dice = random.Random(seed)
    control = type2_helpers.create_control()
    samples = [
        type2_helpers.draw_sample(
            type2_helpers.freeze_population(control, type2_helpers.population_csv(4)), seed=s
        )
        for s in ("aa", "bb")
    ]
    for step in range(14):
        open_ones = [exception for exception, _, is_open in exceptions_of(control) if is_open]
        if open_ones and dice.random() < 0.4:
            remediate_exception(dice.choice(open_ones), failed=dice.choice([0, 0, 1]))
        else:
            numbers = {dice.randint(1, 4) for _ in range(dice.randint(1, 3))}
            with make.acting(read_only=True):
                closed = {
                    c.item.id
                    for c in exception_queries.exceptions(control_id=control)
                    if c.state == "closed"
                }
                sample = dice.choice(samples)
                numbers -= {
                    v.item.number for v in sample_queries.items(sample) if v.item.id in closed
                }
            if numbers:
                type2_helpers.record_results(
                    sample, numbers, dice.choice(["yes", "yes", "no"]), f"step {step}"
                )
        still = [exception for exception, _, is_open in exceptions_of(control) if is_open]
        with make.acting(read_only=True):
            facts = control_ledger.ledger(control).of(control, clock.now())
            last = last_test(facts)
        assert bool(last and last.failed) == bool(still), (step, recorded_tests(control))
        assert (control_status(control)[0] == "failing") == bool(still)


# ---- replaced results


def test_the_audited_do_not_turn_over_what_the_auditor_found(as_officer, as_auditor):
    control = type2_helpers.create_control()
    sample = type2_helpers.draw_sample(type2_helpers.freeze_population(control), by="auditor")
    type2_helpers.record_results(sample, by="auditor")
    type2_helpers.record_results(sample, {4}, "no", "Release without sign-off", by="auditor")
    with make.acting(read_only=True):
        item = next(v.item.id for v in sample_queries.items(sample) if v.item.number == 4)
        held = {i.by_auditor for i in session().scalars(select(ItemResult))}
    assert held == {True}
    page = as_officer.post(
        f"evidence/type-ii/items/{item}", then=403, a0="yes", a1="yes", note="It was fine"
    )
    assert "Only an auditor can replace the result" in page.text
    assert "Record another result" not in as_officer.get(f"evidence/type-ii/items/{item}").text
    page = as_officer.post(
        f"evidence/type-ii/samples/{sample}/results",
        then=403,
        ids=[str(item)],
        a0="yes",
        a1="yes",
        note="It was fine",
    )
    assert control_status(control) == ("failing", "1 of 25 failed")
    as_auditor.post(
        f"evidence/type-ii/items/{item}", a0="yes", a1="yes", note="The signature was in the annex"
    )
    assert control_status(control)[0] != "failing"


def test_an_auditor_replaces_what_the_tenant_found_and_from_then_on_it_is_theirs(as_officer):
    control, sample, _ = type2_helpers.create_failed_sample()
    type2_helpers.record_results(sample, {17}, "yes", "Seen", by="auditor")
    with pytest.raises(Forbidden):
        type2_helpers.record_results(sample, {17}, "no", "Not so")


# ---- manual tests next to samples


def test_a_failed_test_by_hand_stands_in_the_matrix_beside_a_sample(as_viewer):
    control = type2_helpers.create_control()
    type2_helpers.record_results(
        type2_helpers.draw_sample(type2_helpers.freeze_population(control))
    )
    with make.acting("reviewer"):
        control_test_actions.record_test(
            controls.find_control(control),
            tested_on=clock.today(),
            sample=3,
            failed=1,
            finding="Broken by hand",
        )
    with make.acting(read_only=True):
        row = matrix_queries.control_row(control, *matrix_queries.default_period())
    assert row.exceptions == ("EXC-01",)
    (cell,) = [c for c in row.months if c.kind == "exception"]
    assert "3 items, 1 failed (EXC-01)" in cell.why and (row.tested, row.expected) == (25, 25)


def test_the_test_that_a_sample_leads_to_is_not_counted_beside_its_items(database):
    control, _, _ = type2_helpers.create_failed_sample()
    with make.acting(read_only=True):
        row = matrix_queries.control_row(control, *matrix_queries.default_period())
    assert not [c for c in row.months if "Tested on" in c.why]
