"""Percentiles of the cost of a request, at the price of each day."""

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance.economics.usage.request_costs import UnitPrice, request_costs
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import clock
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import (
    EACH_STORE,
    NOW,
    SYSTEM,
    at,
    event,
)
from tests.hypothesis_profiles import examples

pytestmark = EACH_STORE

NOVEMBER = Month(2026, 11)
MODEL = "claude-sonnet-4-5"


def price(first=1, last=30, model=MODEL, **per_million):
    known = dict.fromkeys(BUCKETS, Decimal(0)) | {"input": Decimal(3), "output": Decimal(15)}
    days = date(2026, 11, first), date(2026, 11, last)
    return UnitPrice("", model, *days, known | per_million)


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


def costs(prices=None, month=NOVEMBER, slug="acme"):
    with make.acting("admin", slug):
        found = request_costs(month, [price()] if prices is None else prices)
        return {(row.system, row.feature): row for row in found}


def test_a_request_costs_its_disjoint_buckets_at_their_prices(product):
    """Reproduce design/economics.md §8.

    15,460 at 3, 10,370 at 15 and 19,810 at 3.75 per million.
    """
    tokens = {"input": 15_460, "output": 10_370, "cache_write": 19_810}
    product.send([event(1, tokens=tokens)])
    row = costs([price(cache_write=Decimal("3.75"))])[None, None]
    assert row.p50 == row.p99 == Decimal("0.2762175")
    assert costs([price()])[None, None].p50 == Decimal("0.20193")


def test_a_price_counts_on_its_days_and_a_model_without_one_is_named(product):
    product.send(
        [
            event(1, at="2026-11-09T12:00:00Z", tokens={"input": 1_000_000}),
            event(2, at="2026-11-09T23:30:00Z", tokens={"input": 1_000_000}, feature="letters"),
            event(3, model="another"),
        ]
    )
    found = costs([price(last=9), price(first=10, input=Decimal(5))])
    assert {
        name: (row.requests, row.unpriced, row.p50, row.p95) for name, row in found.items()
    } == {
        (None, None): (2, 1, 3, 5),
        (SYSTEM, None): (2, 1, 3, 5),
        (SYSTEM, ""): (1, 1, 3, 3),
        (SYSTEM, "letters"): (1, 0, 5, 5),
    }
    assert costs([])[None, None].p50 is None
    assert costs(month=Month(2026, 10)) == {} == costs(slug="globex")
    with pytest.raises(ValueError, match="two prices"):
        costs([price(), price(first=20)])


TOKENS = st.lists(st.tuples(*[st.integers(0, 10**9)] * 2), min_size=1, max_size=40)


@settings(
    max_examples=examples(12),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(sizes=TOKENS)
def test_percentiles_are_the_nearest_ranks_of_the_exact_costs(product, sizes):
    known = product.__dict__.setdefault("known", [])
    for read, written in sizes:
        n = len(known)
        tokens = {"input": read, "output": written}
        product.send([event(n, at=at(NOW - timedelta(seconds=n)), tokens=tokens)])
        known.append(Decimal(3 * read + 15 * written) / 10**6)
    row, ordered = costs()[None, None], sorted(known)
    assert row.requests == len(known)
    for percent, found in ((50, row.p50), (95, row.p95), (99, row.p99)):
        assert found == ordered[math.ceil(percent * len(ordered) / 100) - 1]
