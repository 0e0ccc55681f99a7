"""Service hours: which minutes of a week count, through clock changes and moves."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.kernel.intervals import Span, minutes
from governance.kernel.months import ZonePeriod
from governance.operations.objectives.service_hours import DAYS, InvalidHours, ServiceHours

BERLIN = [ZonePeriod(datetime(2020, 1, 1, tzinfo=UTC), "Europe/Berlin")]
OFFICE = {"days": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}}
ALL_WEEK = {"days": {day: [["00:00", "24:00"]] for day in DAYS}}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


def test_office_hours_of_a_week_are_forty_hours():
    hours = ServiceHours.parse(OFFICE)
    week = Span(utc(2026, 11, 22, 23), utc(2026, 11, 29, 23))
    spans = hours.spans(BERLIN, week)
    assert minutes(spans) == hours.minutes_a_week == 40 * 60
    assert spans[0] == Span(utc(2026, 11, 23, 8), utc(2026, 11, 23, 16))


def test_hours_follow_the_local_clock_through_a_clock_change():
    hours = ServiceHours.parse({"days": {"fri": [["09:00", "10:00"]], "mon": [["09:00", "10:00"]]}})
    spans = hours.spans(BERLIN, Span(utc(2026, 10, 23), utc(2026, 10, 27)))
    assert [each.start for each in spans] == [utc(2026, 10, 23, 7), utc(2026, 10, 26, 8)]


@pytest.mark.parametrize(("day", "length"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_a_whole_day_has_as_many_hours_as_the_clock_gives_it(day, length):
    hours = ServiceHours.parse({"days": {"sun": [["00:00", "24:00"]]}})
    around = Span(utc(*day) - timedelta(days=1), utc(*day) + timedelta(days=2))
    assert minutes(hours.spans(BERLIN, around)) == length * 60


def test_an_hour_that_the_clock_skips_has_no_minutes():
    hours = ServiceHours.parse({"days": {"sun": [["02:00", "03:00"]]}})
    assert hours.spans(BERLIN, Span(utc(2026, 3, 28), utc(2026, 3, 30))) == []


def test_hours_follow_the_zone_of_their_time_when_the_tenant_moves():
    moved = [*BERLIN, ZonePeriod(utc(2026, 11, 25), "Asia/Kolkata")]
    hours = ServiceHours.parse({"days": {day: [["09:00", "10:00"]] for day in DAYS}})
    spans = hours.spans(moved, Span(utc(2026, 11, 24), utc(2026, 11, 26)))
    assert [each.start for each in spans] == [utc(2026, 11, 24, 8), utc(2026, 11, 25, 3, 30)]


def test_hours_with_a_zone_of_their_own_ignore_the_tenants():
    hours = ServiceHours.parse({**OFFICE, "zone": "America/Chicago"})
    spans = hours.spans(BERLIN, Span(utc(2026, 11, 23), utc(2026, 11, 24)))
    assert spans == [Span(utc(2026, 11, 23, 15), utc(2026, 11, 23, 23))]


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1), timezones=st.just(UTC)),
    st.integers(1, 60_000),
)
def test_every_hour_of_the_week_is_every_minute(start, length):
    start = start.replace(second=0, microsecond=0)
    within = Span(start, start + timedelta(minutes=length))
    moved = [*BERLIN, ZonePeriod(utc(2026, 6, 10, 12, 30), "America/Chicago")]
    assert ServiceHours.parse(ALL_WEEK).spans(moved, within) == [within]


def test_what_is_parsed_is_written_again():
    content = {"days": {"tue": [["08:00", "12:00"], ["13:00", "24:00"]]}, "zone": "Asia/Kolkata"}
    assert ServiceHours.parse(content).as_json() == content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ({}, "need .days"),
        ([], "need .days"),
        ({"days": {}}, "at least one hour"),
        ({"days": {"moon": []}}, "no part 'moon'"),
        ({"days": {"mon": "09:00"}}, "pairs"),
        ({"days": {"mon": [["09:00"]]}}, "pairs"),
        ({"days": {"mon": [["9", "17:00"]]}}, "not a time"),
        ({"days": {"mon": [["09:00", "25:00"]]}}, "not a time"),
        ({"days": {"mon": [["17:00", "09:00"]]}}, "not after"),
        ({"days": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}, "inside the part"),
        ({"days": {"mon": [["00:00", "00:01"]] * 9}}, "at most 8"),
        ({**OFFICE, "zone": "Mars/Olympus"}, "not a time zone"),
        ({**OFFICE, "holidays": []}, "no part 'holidays'"),
    ],
)
def test_service_hours_that_nobody_can_mean_are_refused(content, why):
    with pytest.raises(InvalidHours, match=why):
        ServiceHours.parse(content)
