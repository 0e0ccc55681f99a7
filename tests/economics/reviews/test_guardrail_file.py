"""Imports of reviewed blocks, by which the cost of a prevented harm is divided."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.reviews.models import GuardrailMonth
from governance.kernel import clock
from governance.kernel.data.db import session
from tests.conftest import visitor
from tests.economics.imports.import_helpers import apply, row_of, upload
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews.close_helpers import NOW, as_finance

HEAD = "month,customer,guardrail,confirmed,mistaken,milliseconds\n"


@pytest.fixture
def finance(app, database):
    with clock.frozen(NOW):
        yield visitor(app, "operator_finance", "console")


def rejected(finance, line):
    return row_of(upload(finance, HEAD + line + "\n", "blocks.csv", "guardrails")).rejected


def test_confirmed_blocks_give_the_cost_of_a_prevented_harm(finance, app):
    month.use(app)
    month.price()
    month.bill("15.15")
    month.bill("60", pool="guardrails", provider="Shield")
    month.collect()
    month.rules()
    address = upload(finance, HEAD + "2026-10,acme,injection,12,3,80\n", "b.csv", "guardrails")
    apply(finance, address)
    assert row_of(address).state == "applied"
    month.close()
    [tier] = [each for each in month.view().facts.tiers if each.confirmed_blocks]
    assert (tier.confirmed_blocks, tier.false_blocks, tier.milliseconds) == (12, 3, 80)
    assert tier.per_prevented_harm == tier.guardrails / 12 > 0


def test_the_same_rows_again_change_nothing_and_others_replace(finance):
    for confirmed in (12, 12, 13):
        line = f"2026-10,acme,injection,{confirmed},3,80\n"
        apply(finance, upload(finance, HEAD + line, f"{confirmed}.csv", "guardrails"))
    with as_finance():
        [row] = session().scalars(select(GuardrailMonth)).all()
        assert row.confirmed == 13


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("2026-10,nobody,injection,1,1,1", "customer"),
        ("2026-10,acme,injection,-1,1,1", "confirmed"),
        ("2026-10,acme,injection,1,2000000000,1", "mistaken"),
        ("2026-10,acme,injection,1,1,700000", "milliseconds"),
    ],
)
def test_a_row_that_cannot_be_names_its_field(finance, line, field):
    [[number, wrong, _reason]] = rejected(finance, line)
    assert (number, wrong) == (2, field)


def test_without_reviewed_blocks_the_cost_is_not_estimable(finance, app):
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()
    month.close()
    assert all(each.per_prevented_harm is None for each in month.view().facts.tiers)
    assert Decimal(0) == sum(each.confirmed_blocks for each in month.view().facts.tiers)
