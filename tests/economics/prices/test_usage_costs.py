"""Customers' usage, read in their tenants and priced in the operator's."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from governance.economics.prices import cost_queries, usage_costs
from governance.economics.rates import actions as rates
from governance.economics.rates.conversion import MissingRate
from governance.economics.usage import queries as usage
from governance.kernel import clock
from governance.kernel.months import Month
from tests import faults, make
from tests.economics.prices.price_helpers import add, collect, customer, on, rows
from tests.economics.usage.usage_helpers import NOW, Product, at, event, register

NOVEMBER = Month(2026, 11)
# The cost of helpers.event: 100 input at 3, 40 read at 0.3, 10 output at 15.
COST = Decimal("0.000462")


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def product(app, isolated):
    register()
    return Product(app)


@pytest.fixture
def globex(app, product):
    register("globex-chat", slug="globex")
    return Product(app, slug="globex")


def sonnet(number=1, **changed):
    return event(number, provider="anthropic", **changed)


def rate(value="0.5", month=NOVEMBER):
    with make.acting("operator_finance", "console"):
        rates.enter_rate(month, "USD", Decimal(value), source="ECB")


def asked(query, month=NOVEMBER):
    with make.acting("operator_finance", "console", read_only=True):
        return query(month)


def test_usage_costs_its_price(product):
    price = add()
    product.send([sonnet(1), sonnet(2)])
    collect()
    [row] = rows()
    assert (row.customer_id, row.day, row.system) == (
        customer("acme"),
        NOW.date(),
        "claims-triage",
    )
    assert (row.requests, row.input_tokens, row.cache_read_tokens) == (2, 200, 80)
    assert (row.price_id, row.currency, row.cost) == (price, "USD", 2 * COST)


def test_collecting_again_changes_nothing(product):
    add()
    product.send([sonnet(1)])
    collect()
    before = rows()
    collect()
    assert rows() == before


def test_a_row_keeps_its_price_when_its_counts_change(product):
    first = add()
    product.send([sonnet(1)])
    collect()
    add(effective_from=date(2026, 11, 2), per_million={"input": Decimal(9), "output": Decimal(9)})
    product.send([sonnet(2), sonnet(3, at=at(on(20)))])
    collect()
    later, kept = rows()
    assert (kept.price_id, kept.requests, kept.cost) == (first, 2, 2 * COST)
    assert later.price_id not in {None, first}
    assert later.cost == Decimal("0.001350")  # 150 tokens at 9.


def test_a_day_uses_the_price_in_force_on_it(product):
    old = add()
    new = add(effective_from=date(2026, 11, 10), per_million={"input": Decimal(4)})
    product.send([sonnet(1, at=at(on(9))), sonnet(2, at=at(on(10)))])
    collect()
    assert [row.price_id for row in rows()] == [old, new]


def test_usage_without_a_price_costs_nothing_until_there_is_one(product):
    product.send([sonnet(1)])
    collect()
    [row] = rows()
    assert (row.price_id, row.currency, row.cost) == (None, None, 0)
    with make.acting("operator_finance", "console"):
        [unpriced] = cost_queries.unpriced_models()
    assert (unpriced.model, unpriced.requests, unpriced.customers) == ("claude-sonnet-4-5", 1, 1)
    add(effective_from=NOW.date() + timedelta(days=1))
    collect()
    assert rows()[0].price_id is None
    price = add()
    collect()
    assert (rows()[0].price_id, rows()[0].cost) == (price, COST)
    with make.acting("operator_finance", "console"):
        assert cost_queries.unpriced_models() == []


def test_another_spelling_of_the_model_has_the_same_price(product):
    price = add(provider="vertex_ai-anthropic_models", model="vertex_ai/claude-sonnet-4-5")
    product.send(
        [event(1, provider="gcp.vertex_ai"), event(2, model="vertex_ai/claude-sonnet-4-5")]
    )
    product.send([event(3, provider="anthropic")])
    collect()
    assert [(row.provider, row.price_id) for row in rows()] == [
        ("", price),
        ("anthropic", None),
        ("gcp.vertex_ai", price),
    ]


def test_a_negotiated_price_is_one_customers_alone(product, globex):
    general, negotiated = add(), add(customer_id=customer("globex"), currency="EUR")
    product.send([sonnet(1)])
    globex.send([sonnet(1, system="globex-chat")])
    collect()
    found = {row.customer_id: row.price_id for row in rows()}
    assert found == {customer("acme"): general, customer("globex"): negotiated}


def test_a_collection_that_fails_leaves_nothing_and_the_next_one_makes_it_whole(
    product, globex, isolated
):
    add()
    product.send([sonnet(1)])
    globex.send([sonnet(1, system="globex-chat")])
    killed = faults.fail(RuntimeError("killed before the commit"))
    last = "INSERT INTO usage_collections"
    with faults.before_statement(isolated, last, killed, value=str(customer("acme"))):
        collect()
    assert [row.customer_id for row in rows()] == [customer("globex")]
    collect()
    assert {row.customer_id: row.cost for row in rows()} == {
        customer("acme"): COST,
        customer("globex"): COST,
    }


def test_what_was_read_before_another_process_went_further_is_not_written(product):
    add()
    product.send([sonnet(1)])
    with make.acting("admin"):
        stale = usage.changed_days(None)
    product.send([sonnet(2)])
    collect()
    with make.acting("operator_finance", "console"):
        assert usage_costs.store(customer("acme"), stale, None) == 0
    assert rows()[0].requests == 2


def test_no_customer_sees_what_usage_cost(product):
    add()
    product.send([sonnet(1)])
    collect()
    assert rows("acme") == [] and rows("globex") == [] and len(rows()) == 1


def test_costs_are_summed_in_the_reporting_currency(product, globex):
    rate("0.5")
    add(), add(customer_id=customer("globex"), currency="EUR")
    product.send([sonnet(1), sonnet(2, outcome="failed"), event(3, model="unknown")])
    product.send([sonnet(4, at=at(on(31, month=10)))])
    globex.send([sonnet(1, system="globex-chat", feature="summaries")])
    collect()
    found = asked(cost_queries.cost_by_customer)
    assert [(each.customer, each.requests, each.unpriced, each.cost) for each in found] == [
        ("Acme Insurance", 3, 1, COST),  # 2 requests in USD, at half.
        ("Globex", 1, 0, COST),
    ]
    by_system = {each.system: each for each in asked(cost_queries.cost_by_system)}
    assert (by_system["claims-triage"].requests, by_system["claims-triage"].succeeded) == (3, 2)
    assert (by_system["globex-chat"].feature, by_system["globex-chat"].cost) == ("summaries", COST)
    days = asked(cost_queries.cost_by_day)
    assert [(each.provider, each.model, each.requests) for each in days] == [
        ("", "unknown", 1),
        ("anthropic", "claude-sonnet-4-5", 3),
    ]
    assert days[1].tokens["input"] == 300
    assert sum(each.cost for each in days) == sum(each.cost for each in found) == 2 * COST
    used = {each.customer: each.all_tokens for each in asked(cost_queries.usage_by_customer)}
    assert used == {"Acme Insurance": 450, "Globex": 150}


def test_a_month_without_a_rate_is_an_error_that_names_it(product):
    add()
    product.send([sonnet(1)])
    collect()
    for query in (
        cost_queries.cost_by_customer,
        cost_queries.cost_by_day,
        cost_queries.cost_by_system,
    ):
        with pytest.raises(MissingRate, match="no rate for USD in November 2026"):
            asked(query)
    assert asked(cost_queries.usage_by_customer)[0].requests == 1
