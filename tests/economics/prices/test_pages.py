"""The operator's pages of the price book."""

from datetime import date
from decimal import Decimal

import pytest

from governance.economics.prices import queries
from governance.kernel import clock
from tests.browser import words
from tests.economics.prices.price_helpers import add, collect, customer
from tests.economics.usage.usage_helpers import NOW, Product, event, register

PAGE = "/operator/economics/prices/"
SENT = {
    "provider": "anthropic",
    "model": "claude-sonnet-4-5",
    "currency": "USD",
    "input": "3",
    "output": "15.00",
    "cache_write": "3.75",
    "effective_from": "2026-01-01",
    "customer_id": "",
    "source": "Price page",
}


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


def test_a_price_is_added_and_listed(as_operator, acting):
    assert "No prices yet" in words(as_operator.get(PAGE))
    as_operator.get(f"{PAGE}new")
    page = words(as_operator.post(f"{PAGE}new", follow=True, **SENT))
    assert "claude-sonnet-4-5 1 price, for a million tokens" in page
    assert "in force All tenants $3.00 $3.00 $3.75 $15.00 $15.00" in page
    listed = words(as_operator.get(PAGE))
    assert "Every model in use has a price" in listed
    with acting("operator_finance", "console"):
        [row] = queries.history("anthropic/claude-sonnet-4-5")
        assert row.cache_write_price == Decimal("3.75")


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"input": ""}, "Enter the price of a million input tokens."),
        ({"input": "three"}, "isn’t an amount"),
        ({"input": "-3"}, "isn’t negative"),
        ({"output": "1e999999"}, "below 1,000,000,000,000"),
        ({"output": "1e10"}, "below 1,000,000,000"),
        ({"cache_read": "0.000000001"}, "8 decimals at most"),
        ({"effective_from": "soon"}, "isn’t a date"),
        ({"currency": "XAU"}, "Not a valid choice"),
        ({"customer_id": "0199a3f2-0000-7000-8000-000000000001"}, "Not a valid choice"),
        ({"source": ""}, "Name the source"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_added(as_operator, sent, sentence):
    page = words(as_operator.post(f"{PAGE}new", then=422, **SENT | sent)).replace("'", "’")
    assert sentence in page
    assert "No prices yet" in words(as_operator.get(PAGE))


def test_another_price_of_the_same_day_is_refused(as_operator):
    as_operator.post(f"{PAGE}new", **SENT)
    page = words(as_operator.post(f"{PAGE}new", then=422, **SENT | {"input": "4"}))
    assert "has another price from 2026-01-01 on" in page
    as_operator.post(f"{PAGE}new", **SENT)


def test_the_history_says_until_when_each_price_was_in_force(as_operator):
    first = add()
    add(effective_from=date(2026, 6, 1))
    add(effective_from=date(2027, 1, 1))
    add(customer_id=customer("acme"), deprecation_date=date(2027, 5, 1), successor_model="next")
    page = words(as_operator.get(f"{PAGE}{first}"))
    assert page.index("to come") < page.index("until 1 Jan 2027") < page.index("until 1 Jun 2026")
    assert "in force Acme Insurance" in page
    assert "Ends on 1 May 2027 Successor: next" in page


def test_models_in_use_without_a_price_come_first(app, as_operator):
    register()
    Product(app).send([event(1), event(2), event(3, model="other", provider="helio")])
    collect()
    page = words(as_operator.get(PAGE))
    assert "2 models have no price: 3 requests cost nothing here" in page
    assert "other helio 1 150 1" in page
    form = as_operator.get(f"{PAGE}new?provider=helio&model=other").text
    assert 'value="helio"' in form and 'value="other"' in form
    as_operator.post(f"{PAGE}new", **SENT | {"provider": "helio", "model": "other"})
    collect()
    assert "1 model has no price: 2 requests" in words(as_operator.get(PAGE))


def test_the_book_is_exported_with_what_the_filters_match(as_operator):
    add()
    add(provider="helio", model="helio-large-3", customer_id=customer("globex"))
    whole = as_operator.get(f"{PAGE}prices.csv").text.splitlines()
    assert len(whole) == 3 and whole[0].startswith(
        "\ufeffProvider,Model,For,Effective from,Currency"
    )
    assert "helio,helio-large-3,Globex,2026-01-01,USD,3.00000000" in "\n".join(whole)
    some = as_operator.get(f"{PAGE}prices.csv?provider=helio").text
    assert "helio-large-3" in some and "claude" not in some
    assert as_operator.get(f"{PAGE}prices.xlsx").data.startswith(b"PK")


def test_people_of_a_tenant_have_no_prices(as_operator, as_admin):
    price = add()
    for path in (PAGE, f"{PAGE}{price}", f"{PAGE}new", f"{PAGE}prices.csv"):
        as_operator.get(path)
        as_admin.get(path, then=404)
    as_admin.post(f"{PAGE}new", then=404, **SENT)
