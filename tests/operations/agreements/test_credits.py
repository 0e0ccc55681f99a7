"""Bands, credits and caps: by published numbers, and by properties over any month."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.errors import Invalid
from governance.operations.agreements.credits import (
    Band,
    Part,
    check_bands,
    credit_line,
    month_credit,
    percent,
    read_bands,
    read_share,
    round_money,
    share_for,
)

BEDROCK = read_bands([["0.999", "0.1"], ["0.99", "0.25"], ["0.95", "1"]])
MONTH = 30 * 1440


@pytest.mark.parametrize(
    ("down", "share"),
    [
        (0, "0"),
        (43, "0"),
        (44, "0.1"),
        (432, "0.1"),
        (433, "0.25"),
        (2160, "0.25"),
        (2161, "1"),
        (MONTH, "1"),
    ],
)
def test_bands_of_a_30_day_month_change_at_the_published_minute(down, share):
    assert share_for(Fraction(MONTH - down, MONTH), BEDROCK) == Fraction(share)


def test_credit_of_the_statement_in_screen_14():
    attained = Fraction(43_581, 44_076)
    bands = read_bands([["0.99", "0.1"], ["0.98", "0.25"]])
    minutes = 31 * 1440 + 60
    claims = credit_line(attained, bands, 520_000, part_minutes=minutes, month_minutes=minutes)
    answers = credit_line(
        Fraction(393_630, 418_310),
        read_bands([["0.95", "0.05"]]),
        480_000,
        part_minutes=minutes,
        month_minutes=minutes,
    )
    month = month_credit([claims, answers], [Part(minutes, 1_240_000, Fraction(3, 10))], minutes)
    assert (claims.credit, answers.credit) == (52_000, 24_000)
    assert (month.credit, month.cap, month.fee) == (76_000, 372_000, 1_240_000)


def test_nothing_is_rounded_before_the_band_is_chosen():
    just_below = Fraction(999, 1000) - Fraction(1, 10**12)
    assert share_for(just_below, BEDROCK) == Fraction(1, 10)
    assert share_for(Fraction(999, 1000), BEDROCK) == 0


def test_not_determinable_earns_no_credit():
    line = credit_line(None, BEDROCK, 100_000, part_minutes=1, month_minutes=1)
    assert (line.share, line.credit) == (None, 0)


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.5", 0), ("1.5", 2), ("2.5", 2), ("2.51", 3), ("2.49", 2)]
)
def test_money_is_rounded_half_to_even(exact, rounded):
    assert round_money(Fraction(exact)) == rounded


def test_cap_limits_the_month():
    line = credit_line(Fraction(1, 2), BEDROCK, 90_000, part_minutes=10, month_minutes=10)
    month = month_credit([line], [Part(10, 100_000, Fraction(3, 10))], 10)
    assert (month.lines, month.cap, month.credit, month.over_cap) == (
        90_000,
        30_000,
        30_000,
        60_000,
    )


def test_month_split_by_a_version_scores_each_part_under_its_own_version():
    """Score 10 of 30 days at 99.9% with 1,000.00 a month, then 20 days at 99.0% with 1,500.00."""
    first, second = 10 * 1440, 20 * 1440
    before = credit_line(
        Fraction(first - 20, first),
        read_bands([["0.999", "0.1"]]),
        100_000,
        part_minutes=first,
        month_minutes=MONTH,
    )
    after = credit_line(
        Fraction(second - 20, second),
        read_bands([["0.99", "0.1"]]),
        150_000,
        part_minutes=second,
        month_minutes=MONTH,
    )
    parts = [Part(first, 100_000, Fraction(1, 10)), Part(second, 150_000, Fraction(1, 5))]
    month = month_credit([before, after], parts, MONTH)
    assert (before.credit, after.credit) == (3_333, 0)  # 10% of 333.33….
    assert month.fee == 133_333
    assert month.cap == 23_333  # 10% of 333.33… and 20% of 1,000.00.


@pytest.mark.parametrize(
    ("bands", "row", "why"),
    [
        ([["0.99", "0.1"], ["0.995", "0.25"]], 2, "isn't below that of band 1"),
        ([["0.99", "0.1"], ["0.99", "0.25"]], 2, "isn't below that of band 1"),
        ([["0.99", "0.25"], ["0.95", "0.1"]], 2, "isn't above that of band 1"),
        ([["0.9999", "0.1"]], 1, "above the target"),
        ([["0.99", "0"]], 1, "enter a credit above 0%"),
        ([["0", "0.1"]], 1, "enter a bound above 0%"),
        ([["0.99", "0.1"], ["0.98", "0.2"], ["0.97", "0.2"]], 3, "isn't above that of band 2"),
    ],
)
def test_bad_bands_name_their_row(bands, row, why):
    with pytest.raises(Invalid, match=rf"Commitment 2, band {row}: .*{why}"):
        check_bands(read_bands(bands), Fraction("0.999"), what="Commitment 2")


@pytest.mark.parametrize("text", ["1.5", "-0.1", "NaN", "Infinity", "ten", "0.12345678901"])
def test_share_that_cannot_be_one_is_refused(text):
    with pytest.raises(ValueError, match="share|number|decimals"):
        read_share(text)


def test_percent_is_exact_and_cut_rather_than_rounded():
    assert percent(Fraction("0.999")) == "99.9%"
    assert percent(Fraction(1)) == "100%"
    assert percent(Fraction(2, 3)) == "66.66666666…%"


shares = st.fractions(min_value=0, max_value=1, max_denominator=10_000)


@st.composite
def any_bands(draw):
    """Draw consistent bands: bounds descend, credits rise."""
    number = draw(st.integers(1, 5))
    some = draw(st.lists(st.integers(1, 9_999), min_size=number, max_size=number, unique=True))
    others = draw(st.lists(st.integers(1, 10_000), min_size=number, max_size=number, unique=True))
    return [
        Band(Fraction(below, 10_000), Fraction(share, 10_000))
        for below, share in zip(sorted(some, reverse=True), sorted(others), strict=True)
    ]


@given(any_bands(), shares, shares)
def test_lower_attainment_never_earns_less(bands, one, other):
    check_bands(bands, Fraction(1))
    low, high = sorted((one, other))
    assert share_for(low, bands) >= share_for(high, bands)


@given(
    any_bands(),
    st.lists(st.tuples(st.integers(1, 20_000), shares), min_size=1, max_size=4),
    st.integers(0, 10**9),
    shares,
)
def test_credit_is_never_more_than_the_cap_or_the_fee(bands, scored, fee, cap):
    month = sum(minutes for minutes, _ in scored)
    lines = [
        credit_line(attained, bands, fee, part_minutes=minutes, month_minutes=month)
        for minutes, attained in scored
    ]
    total = month_credit(lines, [Part(minutes, fee, cap) for minutes, _ in scored], month)
    assert 0 <= total.credit <= total.cap <= total.fee == fee


@given(any_bands(), shares, st.integers(0, 10**9), st.integers(1, 44_640), st.integers(1, 44_640))
def test_split_without_a_change_differs_by_rounding_at_most(bands, attained, fee, one, other):
    """Allow half a minor unit a line, for the same version and attainment on both sides."""
    month = one + other
    unsplit = credit_line(attained, bands, fee, part_minutes=month, month_minutes=month)
    split = [
        credit_line(attained, bands, fee, part_minutes=part, month_minutes=month)
        for part in (one, other)
    ]
    assert abs(sum(line.credit for line in split) - unsplit.credit) <= 1
