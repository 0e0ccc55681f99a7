"""Periods of collectors, which include every day exactly once."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.foundation.populations.periods import (
    SCHEDULES,
    closed_periods,
    next_due,
    period_containing,
    previous_period,
)

days = st.dates(date(2001, 1, 1), date(2090, 12, 31))
schedules = st.sampled_from(SCHEDULES)


@given(schedules, days)
def test_a_day_is_in_its_period_and_the_next_one_begins_where_that_ends(schedule, day):
    period = period_containing(schedule, day)
    assert period.first <= day <= period.last
    assert {
        period_containing(schedule, period.first),
        period_containing(schedule, period.last),
    } == {period}
    following = period_containing(schedule, next_due(schedule, day))
    assert following.first == period.last + timedelta(days=1) == next_due(schedule, day)
    assert following.begins == period.until and previous_period(schedule, following.first) == period


@given(schedules, days, st.integers(0, 800))
def test_closed_periods_follow_each_other_without_a_gap_and_none_has_days_to_come(
    schedule, today, back
):
    since = today - timedelta(days=back)
    found = closed_periods(schedule, since, today)
    assert all(one.until == other.begins for one, other in pairwise(found))
    assert all(since <= period.last < today for period in found)
    assert not found or (found[0].first <= since or period_containing(schedule, since) == found[0])
    assert len({period.name for period in found}) == len(found)


@pytest.mark.parametrize(
    ("schedule", "day", "name", "first", "last"),
    [
        ("daily", "2026-11-25", "2026-11-25", "2026-11-25", "2026-11-25"),
        ("weekly", "2027-01-01", "2026-W53", "2026-12-28", "2027-01-03"),
        ("monthly", "2028-02-29", "2028-02", "2028-02-01", "2028-02-29"),
        ("quarterly", "2026-11-25", "2026-Q4", "2026-10-01", "2026-12-31"),
    ],
)
def test_periods_are_named_as_people_name_them(schedule, day, name, first, last):
    period = period_containing(schedule, date.fromisoformat(day))
    assert (period.name, period.first, period.last) == (
        name,
        date.fromisoformat(first),
        date.fromisoformat(last),
    )
