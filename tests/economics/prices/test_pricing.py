"""The cost of usage: the vectors of design/economics.md, and properties."""

from dataclasses import FrozenInstanceError
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.prices.actions import check_terms
from governance.economics.prices.pricing import (
    MAX_PRICE,
    ModelPrice,
    cost,
    price_on,
    stored_cost,
)
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel.errors import Invalid
from tests.economics.prices.price_helpers import terms

ACME, GLOBEX = UUID(int=1), UUID(int=2)
DAY = date(2026, 10, 1)


def price(*, since=DAY, customer=None, per_request="0", **per_million) -> ModelPrice:
    prices = {bucket: Decimal(per_million.get(bucket, "0")) for bucket in BUCKETS}
    return ModelPrice(None, prices, Decimal(per_request), "USD", since, customer)


VECTOR = price(input="3", output="15", cache_write="3.75", cache_read="0.30", reasoning="15")
COUNTS = st.integers(0, 10**7)
TOKENS = st.fixed_dictionaries(dict.fromkeys(BUCKETS, COUNTS))
PRICES = st.decimals(0, 10_000, places=8)
MODEL_PRICES = st.builds(
    lambda per_million, per_request: ModelPrice(None, per_million, per_request, "USD", DAY),
    st.fixed_dictionaries(dict.fromkeys(BUCKETS, PRICES)),
    PRICES,
)


def test_input_output_and_cache_writes_have_their_own_prices():
    tokens = {"input": 15_460, "output": 10_370, "cache_write": 19_810}
    assert cost(tokens, 1, VECTOR) == Decimal("0.2762175")
    assert cost(tokens | {"cache_write": 0}, 1, VECTOR) == Decimal("0.20193")


def test_cached_input_is_never_also_counted_as_input():
    assert cost({"input": 0, "cache_read": 1_000_000}, 1, VECTOR) == Decimal("0.30")


def test_a_request_may_have_a_price_of_its_own():
    assert cost({"input": 1_000_000}, 4, price(input="3", per_request="0.01")) == Decimal("3.04")


@given(one=TOKENS, other=TOKENS, requests=COUNTS, of=MODEL_PRICES)
def test_the_cost_of_a_sum_is_the_sum_of_the_costs(one, other, requests, of):
    together = {bucket: one[bucket] + other[bucket] for bucket in BUCKETS}
    assert cost(together, requests, of) == cost(one, requests, of) + cost(other, 0, of)


@given(tokens=TOKENS, requests=COUNTS, factor=st.integers(0, 100), of=MODEL_PRICES)
def test_so_many_times_the_usage_costs_so_many_times_as_much(tokens, requests, factor, of):
    scaled = {bucket: factor * count for bucket, count in tokens.items()}
    assert cost(scaled, factor * requests, of) == factor * cost(tokens, requests, of)


@given(tokens=TOKENS, requests=COUNTS, of=MODEL_PRICES)
def test_a_row_keeps_eight_decimals(tokens, requests, of):
    kept = stored_cost(tokens, requests, of)
    assert kept.as_tuple().exponent == -8
    assert abs(kept - cost(tokens, requests, of)) <= Decimal("0.5e-8")


@given(tokens=TOKENS, requests=COUNTS, of=MODEL_PRICES)
def test_a_cost_is_what_exact_fractions_add_up_to(tokens, requests, of):
    of_tokens = sum(Fraction(of.per_million[bucket]) * tokens[bucket] for bucket in BUCKETS)
    expected = of_tokens / 1_000_000 + requests * Fraction(of.per_request)
    assert Fraction(cost(tokens, requests, of)) == expected


def test_the_largest_counts_at_the_largest_price_lose_no_digit():
    """28 digits, which Decimal has by default, would be too few."""
    most = MAX_PRICE - Decimal("1e-8")
    of = price(per_request=str(most), **dict.fromkeys(BUCKETS, str(most)))
    count = 2**63 - 1  # of PostgreSQL's bigint
    expected = Fraction(most) * count * (Fraction(len(BUCKETS), 1_000_000) + 1)
    assert Fraction(cost(dict.fromkeys(BUCKETS, count), count, of)) == expected
    kept = stored_cost(dict.fromkeys(BUCKETS, count), count, of)
    assert abs(Fraction(kept) - expected) <= Fraction("0.5e-8")


@pytest.mark.parametrize(
    ("tokens", "kept"), [(1, "0E-8"), (2, "1E-8"), (3, "2E-8"), (5, "2E-8"), (7, "4E-8")]
)
def test_a_row_is_rounded_half_to_even(tokens, kept):
    assert str(stored_cost({"input": tokens}, 1, price(input="0.005"))) == kept


@pytest.mark.parametrize("bucket", [*BUCKETS, "request"])
def test_a_price_is_below_a_thousand_million(bucket):
    def priced(amount: str):
        if bucket == "request":
            return terms(per_request=Decimal(amount))
        return terms(per_million={"input": Decimal(1), bucket: Decimal(amount)})

    check_terms(priced("999999999.99999999"))
    with pytest.raises(Invalid, match="below 1,000,000,000") as refused:
        check_terms(priced("1000000000"))
    assert refused.value.field == bucket


def test_a_price_never_changes():
    with pytest.raises(FrozenInstanceError):
        VECTOR.per_request = Decimal(1)


def test_a_bucket_without_a_price_is_an_error_and_never_free():
    with pytest.raises(KeyError):
        cost({"audio": 1}, 1, VECTOR)


def test_the_latest_price_in_force_counts():
    old, new = price(since=DAY), price(since=DAY + timedelta(days=10))
    assert price_on([old, new], DAY - timedelta(days=1)) is None
    assert price_on([old, new], DAY) is old
    assert price_on([new, old], DAY + timedelta(days=9)) is old
    assert price_on([new, old], DAY + timedelta(days=10)) is new


def test_a_negotiated_price_is_for_one_customer_and_goes_first():
    general = price(since=DAY + timedelta(days=10))
    negotiated = price(since=DAY, customer=ACME)
    day = DAY + timedelta(days=20)
    assert price_on([general, negotiated], day, ACME) is negotiated
    assert price_on([general, negotiated], day, GLOBEX) is general
    assert price_on([negotiated], day) is None
    assert price_on([negotiated], DAY - timedelta(days=1), ACME) is None


def test_of_two_negotiated_prices_the_latest_in_force_counts():
    old, new = price(customer=ACME), price(since=DAY + timedelta(days=10), customer=ACME)
    for prices in ([old, new], [new, old]):
        assert price_on(prices, DAY + timedelta(days=9), ACME) is old
        assert price_on(prices, DAY + timedelta(days=10), ACME) is new
