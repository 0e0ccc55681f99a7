"""Amounts of money: rounding, reading and writing."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.formulas.currencies import DECIMALS, choices, is_currency
from governance.economics.formulas.money import (
    exact_money,
    money,
    plain_amount,
    read_amount,
    rounded,
    rounded_together,
    short_money,
    unit_money,
    whole_money,
)
from governance.kernel.errors import Invalid

AMOUNTS = st.decimals(min_value=-(10**11), max_value=10**11, places=8)
CURRENCIES = st.sampled_from(sorted(DECIMALS))


@pytest.mark.parametrize(
    ("amount", "currency", "cents"),
    [
        ("0.125", "EUR", "0.12"),
        ("0.135", "EUR", "0.14"),
        ("-0.125", "EUR", "-0.12"),
        ("2.5", "JPY", "2"),
        ("1.2345", "KWD", "1.234"),
    ],
)
def test_an_amount_is_rounded_to_the_cent_half_to_even(amount, currency, cents):
    assert str(rounded(Decimal(amount), currency)) == cents


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_rounding_moves_an_amount_by_half_a_cent_at_most_and_only_once(amount, currency):
    cents = rounded(amount, currency)
    assert abs(cents - amount) <= Decimal("0.5").scaleb(-DECIMALS[currency])
    assert rounded(cents, currency) == cents


@given(amount=AMOUNTS, currency=CURRENCIES)
def test_a_written_amount_is_read_as_the_same(amount, currency):
    cents = rounded(amount, currency)
    for text in (plain_amount(cents, currency), f"{cents:,f}"):
        assert read_amount(text, currency, field="amount", negative=True) == cents


@pytest.mark.parametrize(
    ("text", "amount"), [("12,400.00", "12400"), (" 7 ", "7"), ("0", "0"), ("-0", "0")]
)
def test_an_amount_is_read_with_and_without_commas(text, amount):
    assert str(read_amount(text, "EUR", field="fee").normalize()) == str(
        Decimal(amount).normalize()
    )


@pytest.mark.parametrize(
    "text", ["", "x", "NaN", "sNaN", "Infinity", "-1", "1e999999", "9" * 400, "1e12", "0.001"]
)
def test_what_is_no_amount_is_refused_beside_its_field(text):
    with pytest.raises(Invalid) as refused:
        read_amount(text, "EUR", field="fee")
    assert refused.value.field == "fee"


def test_a_price_may_have_more_decimals_than_its_currency():
    text = "0.00000012"
    assert read_amount(text, "USD", field="price", decimals=8) == Decimal(text)
    with pytest.raises(Invalid, match="8 decimals"):
        read_amount("0.000000001", "USD", field="price", decimals=8)


def test_an_amount_that_overflows_is_refused_and_never_rounded_away():
    for amount in (Decimal("1e12"), Decimal("-1e40"), Decimal("NaN"), Decimal("Infinity")):
        with pytest.raises(Invalid):
            rounded(amount, "EUR")


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12400", "EUR", "€12,400.00"),
        ("-3120.5", "EUR", "−€3,120.50"),
        ("1200", "JPY", "¥1,200"),
        ("0.5", "CHF", "CHF 0.50"),
        ("-0.001", "EUR", "€0.00"),
        ("-0.5", "EUR", "−€0.50"),
    ],
)
def test_money_shows_every_cent(amount, currency, text):
    assert money(Decimal(amount), currency) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("412400", "€412.4k"),
        ("72480", "€72.5k"),
        ("999960", "€1.0m"),
        ("-1250000", "−€1.2m"),
        ("2300000000", "€2.3bn"),
        ("4900", "€4,900"),
        ("0", "€0"),
    ],
)
def test_a_headline_has_a_short_amount(amount, text):
    assert short_money(Decimal(amount), "EUR") == text


def test_a_sentence_has_whole_amounts():
    assert whole_money(Decimal("-3121.87"), "EUR") == "−€3,122"


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0.00312", "€0.0031"),
        ("0.131", "€0.13"),
        ("2.5", "€2.50"),
        ("0", "€0.00"),
        ("0.5", "¥0.50"),
        ("1", "¥1"),
    ],
)
def test_a_small_price_keeps_two_digits(amount, text):
    assert unit_money(Decimal(amount), "JPY" if "¥" in text else "EUR") == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("3", "$3.00"),
        ("0.62500000", "$0.625"),
        ("0.00000012", "$0.00000012"),
        ("1200", "$1,200.00"),
    ],
)
def test_an_agreed_price_loses_no_digit(amount, text):
    assert exact_money(Decimal(amount), "USD") == text


@pytest.mark.parametrize("amount", ["1e12", "-1e12", "NaN", "Infinity"])
def test_a_price_that_is_no_amount_is_refused_and_not_shown(amount):
    with pytest.raises(Invalid, match=r"below 1,000,000,000,000\."):
        exact_money(Decimal(amount), "USD")


def test_a_refusal_repeats_forty_characters_of_what_was_entered():
    with pytest.raises(Invalid) as refused:
        read_amount("x" * 40 + "y" * 20, "EUR", field="fee")
    assert f"“{'x' * 40}” isn't an amount." in str(refused.value)


def test_currencies_are_those_of_iso_4217():
    assert is_currency("EUR") and not is_currency("eur") and not is_currency("XAU")
    assert sorted(choices()) == sorted(DECIMALS) and choices()[0] == "EUR"


@pytest.mark.parametrize(
    ("parts", "currency", "cents"),
    [
        (["0.333", "0.333", "0.334"], "EUR", ["0.33", "0.33", "0.34"]),
        (["0.005", "0.005"], "EUR", ["0.01", "0.00"]),  # Equal remainders: the first one.
        (["0.001", "0.009"], "EUR", ["0.00", "0.01"]),
        (["-0.006", "0.016"], "EUR", ["-0.01", "0.02"]),
        (["1.4", "1.4", "1.2"], "JPY", ["2", "1", "1"]),
        ([], "EUR", []),
    ],
)
def test_parts_are_rounded_to_their_rounded_sum_by_the_largest_remainders(parts, currency, cents):
    assert list(map(str, rounded_together(list(map(Decimal, parts)), currency))) == cents


@given(amounts=st.lists(AMOUNTS, max_size=8), currency=CURRENCIES)
def test_rounded_parts_add_up_and_each_stays_within_its_smallest_unit(amounts, currency):
    found, unit = rounded_together(amounts, currency), Decimal(1).scaleb(-DECIMALS[currency])
    assert sum(found, Decimal(0)) == rounded(sum(amounts, Decimal(0)), currency)
    assert all(abs(a - b) < unit for a, b in zip(found, amounts, strict=True))


def test_a_million_millions_is_too_much_and_a_cent_less_is_not():
    most = Decimal("999999999999.99")
    assert rounded(most, "EUR") == most
    with pytest.raises(Invalid, match=r"below 1,000,000,000,000\."):
        rounded(most + Decimal("0.01"), "EUR")


def test_a_form_never_has_a_negative_zero():
    assert plain_amount(Decimal("-0.001"), "EUR") == "0.00"


def test_a_price_that_is_smaller_than_any_is_cut_at_sixteen_decimals():
    assert unit_money(Decimal("1.26e-15"), "EUR") == "€0.0000000000000013"
    assert unit_money(Decimal("1.26e-16"), "EUR") == "€0.0000000000000001"


@pytest.mark.parametrize(("amount", "text"), [("9999", "€9,999"), ("10000", "€10.0k")])
def test_a_headline_is_short_from_ten_thousand_on(amount, text):
    assert short_money(Decimal(amount), "EUR") == text
