"""Amounts of money as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.formulas import currencies
from governance.kernel.errors import Invalid
from governance.operations.agreements.money import DIGITS, money, plain_amount, read_amount

CURRENCIES = st.sampled_from([*DIGITS, "AUD"])  # AUD: two decimals by default.


@pytest.mark.parametrize(
    ("text", "amount"), [("12,400.00", 1_240_000), ("0", 0), (" 7 ", 700), ("1e3", 100_000)]
)
def test_an_amount_is_read_in_minor_units(text, amount):
    assert read_amount(text, "EUR", field="fee") == amount


@pytest.mark.parametrize(
    "text",
    ["", "x", "NaN", "sNaN", "Infinity", "-1", "1e999999", "9" * 400, "1e15", "0.001", "1e-9"],
)
def test_what_is_no_amount_is_refused_beside_its_field(text):
    with pytest.raises(Invalid) as refused:
        read_amount(text, "EUR", field="fee")
    assert refused.value.field == "fee"


def test_a_refusal_repeats_forty_characters_of_what_was_entered():
    with pytest.raises(Invalid) as refused:
        read_amount("x" * 40 + "y" * 20, "EUR", field="fee")
    assert f"“{'x' * 40}” isn't an amount." in str(refused.value)


def test_a_million_millions_is_read_and_a_cent_more_or_below_zero_is_not():
    assert read_amount("1,000,000,000,000", "EUR", field="fee") == 10**14
    for text in ("1,000,000,000,000.01", "-0.01"):
        with pytest.raises(Invalid, match="from 0 to 1,000,000,000,000"):
            read_amount(text, "EUR", field="fee")


@pytest.mark.parametrize("currency", [*DIGITS, "AUD"])
def test_an_amount_has_the_decimals_of_iso_4217_and_no_more(currency):
    decimals = currencies.DECIMALS[currency]
    one = read_amount("1", currency, field="fee")
    assert one == 10**decimals
    assert plain_amount(one, currency) == f"{1:.{decimals}f}"
    assert money(one, currency).endswith(f"1{'.00' if decimals else ''}")
    with pytest.raises(Invalid, match=f"{currency} has {decimals} decimals at most"):
        read_amount(f"0.{'0' * decimals}1", currency, field="fee")


@given(amount=st.integers(0, 10**14), currency=CURRENCIES)
def test_an_amount_that_was_written_is_read_as_the_same(amount, currency):
    assert read_amount(plain_amount(amount, currency), currency, field="fee") == amount


@pytest.mark.parametrize(
    ("amount", "currency", "plain", "shown"),
    [
        (1_240_000, "EUR", "12400.00", "€12,400.00"),
        (5, "CHF", "0.05", "CHF 0.05"),
        (1200, "JPY", "1200", "¥1,200"),
        (0, "EUR", "0.00", "€0.00"),
        (1, "EUR", "0.01", "€0.01"),
        (-1, "EUR", "-0.01", "−€0.01"),
        (-312_050, "EUR", "-3120.50", "−€3,120.50"),
        (-1200, "JPY", "-1200", "−¥1,200"),
    ],
)
def test_an_amount_is_written_plainly_for_a_form_and_with_its_sign_on_a_page(
    amount, currency, plain, shown
):
    assert plain_amount(amount, currency) == plain
    assert money(amount, currency) == shown
