"""The days that changed since a pricing reader's last query, and no others."""

from datetime import timedelta

import pytest

from governance.economics.usage import queries
from governance.kernel import clock
from tests import make
from tests.economics.usage.usage_helpers import NOW, SYSTEM, Product, at, event, register


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


def changed(since=None, slug="acme"):
    with make.acting("admin", slug):
        return queries.changed_days(since)


def test_a_day_is_found_again_only_after_it_changed(product):
    product.send([event(1), event(2, model="claude-haiku-4-5", feature="summaries")])
    one, two = sorted(changed(), key=lambda row: row.requests + len(row.model), reverse=True)
    assert (one.system, one.model, one.feature, one.provider) == (
        SYSTEM,
        "claude-sonnet-4-5",
        "",
        "",
    )
    assert (two.model, two.feature, two.outcome) == ("claude-haiku-4-5", "summaries", "success")
    assert one.tokens["cache_read"] == 40 and one.day == NOW.date()
    seen = changed()[-1].changed_at
    assert changed(seen) == []
    assert product.send([event(1)])["duplicate"] == 1
    assert changed(seen) == []
    product.send([event(3)])
    [again] = changed(seen)
    assert (again.model, again.requests, again.tokens["input"]) == ("claude-sonnet-4-5", 2, 200)


def test_changes_are_in_order_even_when_a_clock_goes_back(product):
    product.send([event(1)])
    seen = changed()[-1].changed_at
    with clock.frozen(NOW - timedelta(minutes=1)):
        product.send([event(2, at=at(NOW - timedelta(days=3)))])
    [later] = changed(seen)
    assert later.day == (NOW - timedelta(days=3)).date() and later.changed_at > seen


def test_another_tenants_changes_are_not_found(app, product):
    register(slug="globex")
    Product(app, slug="globex").send([event(1)])
    assert changed() == [] and len(changed(slug="globex")) == 1
