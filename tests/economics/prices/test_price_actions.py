"""The price book: additions and queries."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.prices import actions, queries
from governance.economics.prices.actions import PriceTaken
from governance.foundation.audit.models import AuditEntry
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from tests.economics.prices.price_helpers import SONNET, add, customer, terms

KEY = "anthropic/claude-sonnet-4-5"


@pytest.fixture
def finance(acting, isolated):
    return lambda: acting("operator_finance", "console")


def test_an_added_price_is_recorded(finance):
    price = add()
    with finance():
        [entry] = session().scalars(select(AuditEntry).where(AuditEntry.action == "price.added"))
        assert entry.target_id == price
        assert entry.facts["input"] == "3" and entry.facts["cache_read"] == "0.3"
        assert entry.facts["effective_from"] == "2026-01-01"


def test_tokens_without_a_price_of_their_own_cost_what_their_kind_does(finance):
    with finance():
        found = actions.add_price(terms(per_million={"input": Decimal(3), "output": Decimal(15)}))
        assert queries.per_million(found) == {
            "input": 3,
            "cache_read": 3,
            "cache_write": 3,
            "output": 15,
            "reasoning": 15,
        }


def test_the_same_price_twice_is_one_row_and_another_on_its_day_is_refused(finance):
    assert add() == add(provider="Anthropic", model="anthropic/claude-sonnet-4-5")
    with finance(), pytest.raises(PriceTaken) as refused:
        actions.add_price(terms(per_million=SONNET | {"input": Decimal(4)}))
    assert refused.value.field == "effective_from"
    with finance():
        assert len(queries.history(KEY)) == 1


def test_a_customers_price_may_begin_on_the_same_day(finance):
    add()
    add(customer_id=customer("acme"), per_million=SONNET | {"input": Decimal(2)})
    with finance():
        assert [row.customer_id for row in queries.history(KEY)] == [None, customer("acme")]


def test_the_book_has_the_price_in_force_or_else_the_next(finance):
    old, new = add(), add(effective_from=date(2026, 6, 1))
    later = add(model="to-come", effective_from=date(2027, 1, 1))
    with finance():
        for day, wanted in ((date(2026, 5, 31), old), (date(2026, 6, 1), new)):
            assert {row.id for row in queries.book(day)} == {wanted, later}


def test_deprecations_are_those_of_the_newest_price(finance):
    add(deprecation_date=date(2026, 12, 1))
    add(effective_from=date(2026, 2, 1), deprecation_date=date(2027, 3, 1), successor_model="next")
    add(model="gone", deprecation_date=date(2025, 1, 1))
    with finance():
        [found] = queries.deprecations(date(2026, 11, 1))
    assert (found.model, found.ends_on, found.successor) == (
        "claude-sonnet-4-5",
        date(2027, 3, 1),
        "next",
    )


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"model": " "}, "model"),
        ({"model": "m" * 121}, "model"),
        ({"source": ""}, "source"),
        ({"currency": "usd"}, "currency"),
        ({"per_million": {"input": Decimal(-1)}}, "input"),
        ({"per_million": {"input": Decimal("1e-9")}}, "input"),
        ({"per_million": {"input": Decimal("1e40")}}, "input"),
        ({"per_million": {"input": Decimal("NaN")}}, "input"),
        ({"per_request": Decimal(10**9)}, "request"),
    ],
)
def test_what_can_be_no_price_is_refused_beside_its_field(finance, changed, field):
    with finance(), pytest.raises(Invalid) as refused:
        actions.add_price(terms(**changed))
    assert refused.value.field == field


def test_a_price_is_negotiated_with_a_customer_and_nobody_else(finance):
    with finance(), pytest.raises(Invalid) as refused:
        actions.add_price(terms(customer_id=customer("console")))
    assert refused.value.field == "customer_id"


def test_no_customer_sees_the_book(finance, acting):
    add()
    with acting("admin"):
        assert queries.history(KEY) == [] and queries.book(date(2026, 6, 1)) == []
