"""Support clocks: hours, holidays, pauses, days of 23 and 25 hours."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.kernel.errors import Invalid
from governance.kernel.intervals import Span
from governance.operations.agreements.business_time import (
    Calendar,
    deadline,
    elapsed,
)

BERLIN = ZoneInfo("Europe/Berlin")
WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
OFFICE = Calendar.from_json(
    {
        "zone": "Europe/Berlin",
        "hours": {day: [["09:00", "17:00"]] for day in WORKDAYS},
        "country": "DE",
        "subdivision": "BE",
        "own_days": ["2026-12-24"],
    }
)
ALWAYS = Calendar.from_json(
    {
        "zone": "Europe/Berlin",
        "hours": {day: [["00:00", "24:00"]] for day in (*WORKDAYS, "sat", "sun")},
    }
)


def berlin(*parts):
    return datetime(*parts, tzinfo=BERLIN)


def hours(number):
    return timedelta(hours=number)


@pytest.mark.parametrize(
    ("start", "minutes", "due"),
    [
        (berlin(2026, 11, 26, 10, 0), 60, berlin(2026, 11, 26, 11, 0)),
        (berlin(2026, 11, 26, 16, 30), 60, berlin(2026, 11, 27, 9, 30)),
        (berlin(2026, 11, 26, 22, 0), 60, berlin(2026, 11, 27, 10, 0)),  # After hours.
        (berlin(2026, 11, 26, 6, 0), 60, berlin(2026, 11, 26, 10, 0)),  # Before hours.
        (berlin(2026, 11, 27, 16, 0), 120, berlin(2026, 11, 30, 10, 0)),  # Over a weekend.
        (berlin(2026, 11, 28, 12, 0), 480, berlin(2026, 11, 30, 17, 0)),  # On a Saturday.
        # An own holiday, then Christmas.
        (berlin(2026, 12, 23, 16, 0), 120, berlin(2026, 12, 28, 10, 0)),
        # 8 March is a holiday in Berlin only.
        (berlin(2027, 3, 5, 16, 0), 120, berlin(2027, 3, 9, 10, 0)),
    ],
)
def test_deadline_counts_business_hours_only(start, minutes, due):
    assert deadline(start, minutes, OFFICE) == due
    assert elapsed(start, due, OFFICE) == timedelta(minutes=minutes)


def test_deadline_is_the_end_of_the_day_when_it_is_used_up():
    assert deadline(berlin(2026, 11, 26, 9, 0), 480, OFFICE) == berlin(2026, 11, 26, 17, 0)


def test_holiday_on_a_weekend_moves_nothing():
    """Ignore 3 October 2026, the German national day, which is a Saturday."""
    assert deadline(berlin(2026, 10, 2, 16, 0), 120, OFFICE) == berlin(2026, 10, 5, 10, 0)


def test_subdivision_decides_which_days_are_holidays():
    bavaria = Calendar.from_json({**OFFICE.as_json(), "subdivision": "BY"})
    assert OFFICE.is_holiday(date(2027, 3, 8))
    assert not bavaria.is_holiday(date(2027, 3, 8))
    assert bavaria.is_holiday(date(2027, 1, 6))


def test_days_of_23_and_25_hours_keep_their_length():
    assert elapsed(berlin(2026, 3, 29), berlin(2026, 3, 30), ALWAYS) == hours(23)
    assert elapsed(berlin(2026, 10, 25), berlin(2026, 10, 26), ALWAYS) == hours(25)
    assert deadline(berlin(2026, 10, 25), 25 * 60, ALWAYS) == berlin(2026, 10, 26)
    weekends = Calendar.from_json({"zone": "Europe/Berlin", "hours": {"sun": [["00:00", "08:00"]]}})
    assert elapsed(berlin(2026, 3, 28), berlin(2026, 3, 31), weekends) == hours(7)
    assert elapsed(berlin(2026, 10, 24), berlin(2026, 10, 27), weekends) == hours(9)


def test_office_hours_are_the_same_before_and_after_the_clocks_change():
    assert deadline(berlin(2026, 10, 23, 16, 0), 120, OFFICE) == berlin(2026, 10, 26, 10, 0)
    friday = datetime(2026, 10, 23, 14, 0, tzinfo=UTC)  # 16:00 in summer time.
    assert deadline(friday, 120, OFFICE) == datetime(2026, 10, 26, 9, 0, tzinfo=UTC)


def test_hours_with_a_break_at_noon():
    calendar = Calendar.from_json(
        {"zone": "Europe/Berlin", "hours": {"thu": [["09:00", "12:00"], ["13:00", "17:00"]]}}
    )
    assert deadline(berlin(2026, 11, 26, 11, 30), 60, calendar) == berlin(2026, 11, 26, 13, 30)
    noon = berlin(2026, 11, 26, 12, 30)
    assert elapsed(noon, noon + timedelta(minutes=1), calendar) == timedelta(0)
    one = berlin(2026, 11, 26, 13, 0)
    assert elapsed(one, one + timedelta(minutes=1), calendar) == timedelta(minutes=1)


def test_clock_stops_while_the_customer_has_to_answer():
    pauses = [
        Span(berlin(2026, 11, 26, 11, 0), berlin(2026, 11, 26, 13, 0)),
        # Overlapping pauses count once.
        Span(berlin(2026, 11, 26, 12, 0), berlin(2026, 11, 26, 14, 0)),
        # Pauses outside hours don't count.
        Span(berlin(2026, 11, 26, 20, 0), berlin(2026, 11, 26, 23, 0)),
    ]
    start = berlin(2026, 11, 26, 10, 0)
    assert deadline(start, 120, OFFICE, pauses) == berlin(2026, 11, 26, 15, 0)
    assert elapsed(start, berlin(2026, 11, 26, 17, 0), OFFICE, pauses) == hours(4)


def test_without_a_calendar_the_clock_runs_around_the_clock():
    start = berlin(2026, 12, 24, 23, 0)
    assert deadline(start, 120, None) == berlin(2026, 12, 25, 1, 0)
    assert deadline(start, 0, None) == start
    assert elapsed(start, start, None) == timedelta(0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"zone": "Mars/Olympus"}, "time_zone"),
        ({"country": "XX"}, "country"),
        ({"subdivision": "Atlantis"}, "subdivision"),
        ({"hours": {"mon": [["17:00", "09:00"]]}}, "hours_mon"),
        ({"hours": {"mon": [["09:00", "12:00"], ["11:00", "17:00"]]}}, "hours_mon"),
        ({"hours": {"mon": [["9", "noon"]]}}, "hours_mon"),
        ({"hours": {}}, "hours_mon"),
        ({"own_days": ["Christmas"]}, "own_days"),
    ],
)
def test_calendar_that_cannot_be_is_refused_by_field(change, field):
    with pytest.raises(Invalid) as refused:
        Calendar.from_json({**OFFICE.as_json(), **change})
    assert refused.value.field == field


def test_hours_that_never_come_are_refused():
    only_new_year = Calendar.from_json(
        {"zone": "UTC", "hours": {"mon": [["09:00", "09:01"]]}, "country": "DE"}
    )
    with pytest.raises(ValueError, match="five years"):
        deadline(datetime(2026, 1, 1, tzinfo=UTC), 10_000, only_new_year)


instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(  # noqa: DTZ001 - the zone follows
    lambda at: at.replace(tzinfo=UTC)
)
calendars = st.sampled_from([OFFICE, ALWAYS, None])


@st.composite
def some_pauses(draw):
    return [
        Span(start, start + timedelta(minutes=draw(st.integers(1, 20_000))))
        for start in draw(st.lists(instants, max_size=4))
    ]


@given(instants, st.integers(1, 5_000), calendars, some_pauses())
def test_elapsed_until_the_deadline_is_the_limit(start, minutes, calendar, pauses):
    due = deadline(start, minutes, calendar, pauses)
    assert elapsed(start, due, calendar, pauses) == timedelta(minutes=minutes)
    just_before = due - timedelta(microseconds=1)
    assert elapsed(start, just_before, calendar, pauses) < timedelta(minutes=minutes)


@given(instants, st.integers(1, 60 * 24 * 20), calendars, some_pauses())
def test_deadline_of_what_elapsed_is_no_later_than_the_end(start, length, calendar, pauses):
    end = start + timedelta(minutes=length)
    passed = elapsed(start, end, calendar, pauses)
    whole = passed // timedelta(minutes=1)
    assume(whole)
    assert deadline(start, whole, calendar, pauses) <= end


@given(instants, st.integers(0, 20_000), st.integers(0, 20_000), calendars)
def test_elapsed_adds_up(start, one, other, calendar):
    middle = start + timedelta(minutes=one)
    end = middle + timedelta(minutes=other)
    both = elapsed(start, middle, calendar) + elapsed(middle, end, calendar)
    assert both == elapsed(start, end, calendar)
