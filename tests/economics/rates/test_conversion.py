"""Amounts converted at the rates of a month."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.rates.conversion import (
    MissingRate,
    MonthRates,
    ProvisionalRate,
    check_rate,
    provisional_phrase,
)
from governance.kernel.errors import Invalid
from governance.kernel.months import Month

OCTOBER = Month(2026, 10)
AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)
RATES = st.decimals(min_value="0.0001", max_value=10_000, places=10)


def rates(**of: str) -> MonthRates:
    return MonthRates(OCTOBER, "EUR", {code: Decimal(rate) for code, rate in of.items()})


def test_an_amount_is_multiplied_by_the_rate_of_its_currency():
    assert rates(USD="0.9207").convert(Decimal("100.50"), "USD") == Decimal("92.530350")


def test_the_reporting_currency_needs_no_rate():
    assert rates().convert(Decimal("100.50"), "EUR") == Decimal("100.50")


def test_a_missing_rate_names_the_currency_and_the_month():
    with pytest.raises(MissingRate) as refused:
        rates(USD="0.92").convert(Decimal(1), "GBP")
    assert refused.value.message == (
        "There is no rate for GBP in October 2026. Add it under Rates."
    )
    assert (refused.value.currency, refused.value.month) == ("GBP", OCTOBER)


def test_a_total_of_several_currencies_needs_every_rate():
    amounts = [(Decimal(10), "EUR"), (Decimal(10), "USD"), (Decimal(10), "GBP")]
    assert rates(USD="0.9", GBP="1.2").total(amounts) == Decimal("31.0")
    with pytest.raises(MissingRate, match="GBP in October 2026"):
        rates(USD="0.9").total(amounts)


@given(amounts=st.lists(AMOUNTS, max_size=20), rate=RATES)
def test_converting_each_and_converting_the_sum_give_the_same_cents(amounts, rate):
    month = MonthRates(OCTOBER, "EUR", {"USD": rate})
    total = month.total((each, "USD") for each in amounts)
    assert abs(total - month.convert(sum(amounts, Decimal(0)), "USD")) < Decimal("1e-10")


@pytest.mark.parametrize("rate", ["0", "-1", "1000000000", "0.12345678901", "NaN", "Infinity"])
def test_what_can_be_no_rate_is_refused(rate):
    with pytest.raises(Invalid) as refused:
        check_rate(Decimal(rate))
    assert refused.value.field == "rate"
    check_rate(Decimal("0.1234567890"))


def test_an_earlier_rate_stands_in_and_is_named():
    month = MonthRates(
        Month(2026, 12),
        "EUR",
        {"GBP": Decimal("1.2")},
        {"USD": (Month(2026, 11), Decimal("0.9")), "GBP": (Month(2026, 11), Decimal("1.1"))},
    )
    assert month.convert(Decimal(10), "GBP") == 12 and month.convert(Decimal(10), "EUR") == 10
    assert month.noted == set()
    assert month.convert(Decimal(10), "USD") == 9
    assert month.noted == {ProvisionalRate(Month(2026, 12), "USD", Month(2026, 11))}
    assert provisional_phrase(month.noted) == "USD for December 2026 (rate of November 2026)"
    assert month.has("USD") and not month.has("CHF")
    with pytest.raises(MissingRate, match="CHF in December 2026"):
        month.convert(Decimal(1), "CHF")
