"""The forecast of a budget, and the thresholds it reaches."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.budgets.outlook import (
    Crossing,
    crossings,
    first_day_needed,
    outlook,
    period_of,
)

TODAY = date(2026, 11, 20)
FIRST = date(2026, 10, 1)
DAYS = st.dictionaries(
    st.dates(date(2026, 9, 1), date(2026, 12, 31)),
    st.integers(0, 10**9).map(lambda cents: Decimal(cents) / 100),
    max_size=60,
)
WINDOWS = st.sampled_from(["month", "rolling"])
AMOUNTS = st.integers(1, 10**9).map(lambda cents: Decimal(cents) / 100)


def daily(amount: int, first: date, last: date) -> dict[date, Decimal]:
    return {first + timedelta(days=n): Decimal(amount) for n in range((last - first).days + 1)}


def test_a_month_is_forecast_from_what_is_spent_and_the_last_seven_full_days():
    costs = daily(10, date(2026, 11, 1), date(2026, 11, 12))
    costs |= daily(20, date(2026, 11, 13), date(2026, 11, 19)) | {TODAY: Decimal(5)}
    found = outlook("month", Decimal(1000), costs, TODAY, FIRST)
    assert found.spent == 12 * 10 + 7 * 20 + 5
    assert (found.pace, found.days_left) == (20, 10)
    assert found.forecast == 265 + 10 * 20


def test_today_and_the_days_before_the_month_do_not_count_as_full_days_of_it():
    costs = {date(2026, 10, 31): Decimal(70), date(2026, 11, 1): Decimal(3)}
    found = outlook("month", Decimal(100), costs, date(2026, 11, 1), FIRST)
    assert (found.spent, found.pace, found.forecast) == (3, 10, 3 + 10 * 29)


def test_a_rolling_window_counts_thirty_days_and_forecasts_thirty_at_the_present_pace():
    costs = daily(1, date(2026, 10, 1), TODAY)
    found = outlook("rolling", Decimal(100), costs, TODAY, FIRST)
    assert (found.period.first, found.spent, found.forecast) == (date(2026, 10, 22), 30, 30)
    falling = {date(2026, 10, 25): Decimal(90)}
    assert outlook("rolling", Decimal(100), falling, TODAY, FIRST).forecast == 90


def test_a_threshold_is_reached_at_its_share_and_not_a_cent_before():
    def reached(spent: str) -> list[Crossing]:
        found = outlook("month", Decimal(200), {TODAY: Decimal(spent)}, TODAY, FIRST)
        return crossings(found, [100, 50, 80], [100])

    assert reached("99.99") == []
    assert reached("100") == [Crossing("actual", 50)]
    assert reached("159.99") == [Crossing("actual", 50)]
    assert reached("200") == [
        Crossing("actual", 50),
        Crossing("actual", 80),
        Crossing("actual", 100),
        Crossing("forecast", 100),
    ]


@pytest.mark.parametrize(
    ("today", "name"),
    [
        (date(2026, 10, 1), "2026-10-01"),
        (date(2026, 10, 30), "2026-10-01"),
        (date(2026, 10, 31), "2026-10-31"),
        (date(2026, 11, 30), "2026-11-30"),
    ],
)
def test_a_rolling_window_is_named_by_blocks_of_thirty_days(today, name):
    assert period_of("rolling", today, FIRST).name == name


@given(WINDOWS, AMOUNTS, DAYS, st.dates(date(2026, 10, 15), date(2026, 12, 31)))
def test_a_forecast_is_never_below_what_is_spent(window, amount, costs, today):
    found = outlook(window, amount, costs, today, FIRST)
    assert found.forecast >= found.spent >= 0
    needed = {day: cost for day, cost in costs.items() if day >= first_day_needed(window, today)}
    assert outlook(window, amount, needed, today, FIRST) == found


@given(WINDOWS, AMOUNTS, DAYS, st.dates(date(2026, 10, 15), date(2026, 12, 31)))
def test_more_cost_reaches_no_fewer_thresholds(window, amount, costs, today):
    levels = ([50, 80, 100], [100])
    before = crossings(outlook(window, amount, costs, today, FIRST), *levels)
    more = costs | {today: costs.get(today, Decimal(0)) + 1}
    after = crossings(outlook(window, amount, more, today, FIRST), *levels)
    assert set(before) <= set(after)


@given(st.dates(date(2026, 10, 1), date(2027, 12, 31)))
def test_every_day_of_a_month_has_the_same_period(today):
    period = period_of("month", today, FIRST)
    assert period.first <= today <= period.last
    assert period == period_of("month", period.last, FIRST)
