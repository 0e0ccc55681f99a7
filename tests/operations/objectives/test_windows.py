"""Windows of objectives: days, months, clock changes, and a tenant that moves its time zone."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.intervals import Span
from governance.kernel.months import Month, ZonePeriod, month_span
from governance.operations.objectives.windows import calendar, minute_of, rolling, window

BERLIN = [ZonePeriod(datetime(2020, 1, 1, tzinfo=UTC), "Europe/Berlin")]
AUCKLAND_SINCE = datetime(2026, 10, 15, 9, 30, tzinfo=UTC)
MOVED = [*BERLIN, ZonePeriod(AUCKLAND_SINCE, "Pacific/Auckland")]


def test_a_rolling_window_is_days_of_1440_minutes_whatever_clocks_do():
    # 25 October 2026 has 25 hours in Berlin.
    found = rolling(datetime(2026, 11, 25, 10, 10, 42, tzinfo=UTC), 30)
    assert found.so_far == found.whole
    assert found.so_far.minutes == 43_200
    assert found.so_far.end == datetime(2026, 11, 25, 10, 10, tzinfo=UTC)
    assert found.so_far.end >= found.whole.end


@pytest.mark.parametrize(
    ("month", "days", "hours"),
    [
        ("2026-01", 31, 0),
        ("2026-02", 28, 0),
        ("2028-02", 29, 0),  # Leap day.
        ("2026-03", 31, -1),  # A day of 23 hours.
        ("2026-04", 30, 0),
        ("2026-10", 31, 1),  # A day of 25 hours.
    ],
)
def test_a_calendar_month_has_the_hours_of_its_days(month, days, hours):
    end = month_span(BERLIN, Month.parse(month)).end
    found = calendar(BERLIN, end - timedelta(minutes=1))
    assert found.whole.minutes == days * 1440 + hours * 60
    assert found.so_far == Span(found.whole.start, end - timedelta(minutes=1))
    assert found.so_far.end < found.whole.end


def test_a_month_is_empty_in_its_first_minute():
    start = datetime(2026, 10, 31, 23, 0, 59, tzinfo=UTC)  # Midnight in Berlin.
    found = calendar(BERLIN, start)
    assert found.so_far.minutes == 0
    assert found.whole.start == minute_of(start)


def test_a_month_in_which_the_tenant_moves_ends_at_midnight_of_the_new_zone():
    found = calendar(MOVED, datetime(2026, 10, 20, tzinfo=UTC)).whole
    assert found.start == datetime(2026, 9, 30, 22, tzinfo=UTC)  # Berlin.
    assert found.end == datetime(2026, 10, 31, 11, tzinfo=UTC)  # Auckland, summer time.
    assert found.minutes == 31 * 1440 - 11 * 60


INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2029, 12, 31), timezones=st.just(UTC))


@given(INSTANTS)
def test_each_minute_is_in_one_month_and_months_adjoin(at):
    mine = calendar(MOVED, at).whole
    after = calendar(MOVED, mine.end).whole
    assert mine.start <= minute_of(at) < mine.end == after.start


@given(INSTANTS, st.sampled_from(["rolling", "calendar"]), st.integers(1, 366))
def test_what_is_scored_lies_in_the_window_and_before_now(at, kind, days):
    found = window(kind, days, MOVED, at)
    assert found.whole.start <= found.so_far.start <= found.so_far.end <= found.whole.end
    assert found.so_far.end <= at
