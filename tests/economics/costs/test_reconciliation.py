"""Computed against invoiced cost: the residual by model and day, and its causes."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.costs.reconciliation import reconcile
from governance.economics.costs.reconciliation_sentences import (
    causes_headline,
    days_headline,
    headline,
    models_headline,
)
from governance.economics.costs.residual_causes import CAUSES, Charge, Invoiced, Metered

DAY = date(2026, 10, 17)
BOOK = {
    "input": Decimal("0.000003"),
    "cache_read": Decimal("0.0000003"),
    "cache_write": Decimal("0.00000375"),
    "output": Decimal("0.000015"),
}
TOKENS = {"input": 2_000_000, "cache_read": 1_000_000, "cache_write": 400_000, "output": 500_000}


def metered(day=DAY, tokens=None, **changed):
    tokens = TOKENS if tokens is None else tokens
    costs = {name: BOOK[name] * count for name, count in tokens.items()}
    values = {"provider": "helio", "model": "helio-large", "requests": 1_000}
    values |= {"cost": sum(costs.values(), Decimal(0)), "tokens": tokens, "costs": costs}
    return Metered(day=day, **(values | changed))


def invoiced(day=DAY, tokens=None, prices=None, extra=Decimal(0), **changed):
    """Return an invoice for these tokens. `extra` is charged without a quantity."""
    quantities = TOKENS | (tokens or {})
    charged = BOOK | (prices or {})
    meters = {
        name: Charge(Decimal(count), charged[name] * count, 1) for name, count in quantities.items()
    }
    values = {"provider": "helio", "model": "helio-large", "meters": meters, "lines": len(meters)}
    values["cost"] = sum((each.cost for each in meters.values()), extra)
    return Invoiced(day=day, **(values | changed))


def causes(computed, charged):
    found = reconcile([computed], [charged]).causes
    return {name: amount for name, amount in found.items() if amount}


def test_equal_quantities_and_prices_leave_no_residual():
    assert causes(metered(), invoiced()) == {}


def test_a_cache_write_that_is_billed_twice_is_cache_accounting():
    assert causes(metered(), invoiced(tokens={"cache_write": 800_000})) == {"cache": Decimal("1.5")}


def test_cache_reads_that_are_billed_as_input_are_cache_accounting():
    shifted = invoiced(tokens={"input": 2_600_000, "cache_read": 400_000})
    assert causes(metered(), shifted) == {"cache": Decimal("1.62")}  # 600,000 × 2.70 per million.


def test_cache_reads_at_the_price_of_input_are_cache_accounting():
    at_input = invoiced(prices={"cache_read": BOOK["input"]})
    assert causes(metered(), at_input) == {"cache": Decimal("2.7")}


def test_calls_that_nobody_metered_are_invoiced_with_their_share_of_cache():
    more = {name: count * 11 // 10 for name, count in TOKENS.items()}
    tenth = metered().cost / 10
    assert causes(metered(), invoiced(tokens=more)) == {"unmetered": tenth}


def test_a_day_that_is_invoiced_without_any_metered_request_is_unmetered():
    usage = [metered(), metered(day=date(2026, 10, 19))]
    bills = [invoiced(), invoiced(day=date(2026, 10, 18)), invoiced(day=date(2026, 10, 19))]
    found = reconcile(usage, bills)
    assert found.by_day[date(2026, 10, 18)] == found.causes["unmetered"] == invoiced().cost


def test_another_unit_price_is_a_price_difference_of_the_metered_tokens():
    dearer = invoiced(prices={"output": Decimal("0.000016")})
    assert causes(metered(), dearer) == {"price": Decimal("0.5")}


def test_more_tokens_at_another_price_are_two_causes():
    found = causes(
        metered(), invoiced(tokens={"output": 600_000}, prices={"output": Decimal("2e-5")})
    )
    assert found == {"unmetered": 2, "price": Decimal("2.5")}


def test_attempts_without_usage_explain_no_more_than_what_is_left():
    usage = metered(attempts_without_tokens=10)
    typical = usage.cost / 1_000
    assert causes(usage, invoiced(extra=Decimal("0.10"))) == {"retries": Decimal("0.10")}
    found = causes(usage, invoiced(extra=Decimal(1)))
    assert found["retries"] == 10 * typical and found["unexplained"] == 1 - 10 * typical
    assert causes(metered(), invoiced(extra=Decimal(1))) == {"unexplained": 1}


@pytest.mark.parametrize(("extra", "cause"), [("0.019", "rounding"), ("0.02", "unexplained")])
def test_less_than_half_a_cent_a_line_is_rounding(extra, cause):
    assert causes(metered(), invoiced(extra=Decimal(extra))) == {cause: Decimal(extra)}


def test_tokens_that_were_metered_and_not_invoiced_are_unexplained():
    found = causes(metered(), invoiced(tokens={"output": 400_000}))
    assert found == {"unexplained": Decimal("-1.5")}


def test_an_invoice_of_the_whole_month_is_compared_with_the_whole_month():
    usage = [metered(day=date(2026, 10, day)) for day in range(1, 32)]
    one = invoiced(
        day=date(2026, 10, 1), meters={}, lines=1, cost=sum(each.cost for each in usage) + 3
    )
    found = reconcile(usage, [one])
    assert found.by_day == {None: 3} and found.causes["unexplained"] == 3


def test_a_name_that_matches_no_model_is_a_row_of_its_own():
    strange = invoiced(model="HX-7", is_matched=False)
    found = reconcile([metered()], [invoiced(), strange])
    (provider,) = found.providers
    assert [(each.model, each.is_matched) for each in provider.models] == [
        ("HX-7", False),
        ("helio-large", True),
    ]
    assert found.causes["unexplained"] == found.residual == strange.cost


def test_the_month_may_close_up_to_its_limit():
    def within(amount: str) -> bool:
        bill = invoiced(meters={}, cost=Decimal(100))
        return reconcile([metered(cost=100 - Decimal(amount))], [bill]).is_within

    assert within("2") and within("-2") and not within("2.01") and not within("-2.01")
    assert not reconcile([metered()], []).is_within and reconcile([], []).is_within


def month(*amounts: str, limit: str = "0.02"):
    """Return a month of days with these residuals, 100 computed a day."""
    days = [date(2026, 10, n) for n in range(1, len(amounts) + 1)]
    usage = [metered(day=day, cost=Decimal(100)) for day in days]
    bills = [
        invoiced(day=day, meters={}, cost=100 + Decimal(amount))
        for day, amount in zip(days, amounts, strict=True)
    ]
    return reconcile(usage, bills, Decimal(limit))


def test_the_headline_says_whether_the_month_could_close():
    assert headline(month("1", "2"), "October") == (
        "Invoices exceed computed cost by 1.48%, under the 2% limit: October could close"
    )
    assert headline(month("-1", "-1", limit="0.025"), "October") == (
        "Invoices are below computed cost by 1.01%, under the 2.5% limit: October could close"
    )
    assert headline(month("5", "4"), "October") == (
        "Invoices exceed computed cost by 4.31%, over the 2% limit:"
        " two people must accept it before October closes"
    )
    assert headline(month("0"), "May") == "Invoices equal computed cost: May could close"
    assert headline(reconcile([metered()], []), "May") == "No invoice for May yet: it can't close"
    assert headline(reconcile([], []), "May") == "No model cost in May yet"


def test_headlines_name_the_days_the_model_and_the_unexplained_part():
    found = month("1", "1", "40", "1", "1", "30")
    assert days_headline(found) == "Two days carry 95% of the residual"
    assert days_headline(month("1", "1", "1")) == "No day is unusual"
    assert causes_headline(found, "EUR") == "€74 isn’t explained"
    half = reconcile([metered()], [invoiced(tokens={"cache_write": 800_000}, extra=Decimal(1))])
    assert causes_headline(half, "EUR") == "60% of it is explained; €1 isn’t"
    assert causes_headline(month("0"), "EUR") == "There is nothing to explain"
    other = [metered(model="helio-small", cost=Decimal(10))]
    bill = [invoiced(model="helio-small", meters={}, cost=Decimal(11))]
    both = reconcile([metered(), *other], [invoiced(extra=Decimal(9)), *bill])
    assert models_headline(both) == "helio-large alone carries 90% of the residual"


amounts = st.decimals(0, 10_000, places=8)
tokens = st.integers(0, 10**9)
names = st.sampled_from(["a", "b"])
days = st.integers(1, 4).map(lambda n: date(2026, 10, n))
buckets = st.sampled_from(list(BOOK))


@st.composite
def usage_rows(draw):
    counts = draw(st.dictionaries(buckets, tokens))
    costs = {name: draw(amounts) for name in counts}
    return Metered(
        provider=draw(names),
        model=draw(names),
        day=draw(days),
        cost=sum(costs.values(), Decimal(0)),
        requests=draw(st.integers(0, 10_000)),
        attempts_without_tokens=draw(st.integers(0, 100)),
        tokens=counts,
        costs=costs,
    )


@st.composite
def invoice_rows(draw):
    meters = draw(
        st.dictionaries(
            buckets, st.builds(Charge, tokens.map(Decimal), amounts, st.integers(1, 50))
        )
    )
    return Invoiced(
        provider=draw(names),
        model=draw(names),
        day=draw(days),
        cost=sum((each.cost for each in meters.values()), draw(amounts)),
        lines=draw(st.integers(1, 200)),
        meters=meters,
        is_matched=draw(st.booleans()),
    )


@given(st.lists(usage_rows(), max_size=6), st.lists(invoice_rows(), max_size=6))
def test_causes_models_and_days_all_add_up_to_the_residual_exactly(usage, bills):
    found = reconcile(usage, bills)
    expected = sum((each.cost for each in bills), Decimal(0)) - sum(
        (each.cost for each in usage), Decimal(0)
    )
    assert found.residual == expected
    assert sum(found.causes.values()) == expected and set(found.causes) == set(CAUSES)
    assert sum(found.by_day.values()) == expected
    for provider in found.providers:
        assert sum(each.residual for each in provider.models) == provider.residual
        for model in provider.models:
            assert sum(model.causes.values()) == model.residual


@given(st.lists(usage_rows(), max_size=6), st.lists(invoice_rows(), max_size=6))
def test_retries_are_never_more_than_their_attempts_and_rounding_never_more_than_its_lines(
    usage, bills
):
    found = reconcile(usage, bills)
    lines = sum(each.lines for each in bills)
    assert found.causes["retries"] >= 0
    assert abs(found.causes["rounding"]) <= Decimal("0.005") * lines
    if not any(each.attempts_without_tokens for each in usage):
        assert not found.causes["retries"]
