"""Recurring spans keep their local time, count once, and have an end."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from governance.kernel.intervals import MINUTE, Span, minutes, union
from governance.operations.maintenance.recurrence import (
    BadRule,
    Recurrence,
    check_rule,
    last_end,
    occurrences,
    occurrences_in,
)

BERLIN = "Europe/Berlin"


def local(*parts: int, zone: str = BERLIN) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def span(*parts: int, hours: float = 2, zone: str = BERLIN) -> Span:
    start = local(*parts, zone=zone)
    return Span(start, start + timedelta(hours=hours))


def starts(series: Recurrence) -> list[str]:
    zone = ZoneInfo(series.zone)
    return [each.start.astimezone(zone).strftime("%d %b %H:%M") for each in occurrences(series)]


def test_two_in_the_morning_stays_two_in_the_morning_when_the_clocks_change():
    autumn = check_rule("FREQ=WEEKLY;BYDAY=SU;COUNT=4", span(2026, 10, 11, 2), BERLIN, None)
    assert starts(autumn) == ["11 Oct 02:00", "18 Oct 02:00", "25 Oct 02:00", "01 Nov 02:00"]
    utc = [each.start.hour for each in occurrences(autumn)]
    assert utc == [0, 0, 0, 1]  # The first of the repeated hour.
    assert {each.minutes for each in occurrences(autumn)} == {120}


def test_a_time_that_a_night_skips_takes_the_offset_before_it():
    spring = check_rule("FREQ=DAILY;COUNT=3", span(2026, 3, 28, 2, 30), BERLIN, None)
    assert [each.start for each in occurrences(spring)] == [
        datetime(2026, 3, 28, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),  # 03:30 there.
        datetime(2026, 3, 30, 0, 30, tzinfo=UTC),
    ]


def test_a_leap_day_and_the_last_day_of_a_month():
    last = check_rule("FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=3", span(2027, 12, 31, 1), "UTC", None)
    assert starts(last)[1:] == ["31 Jan 00:00", "29 Feb 00:00"]


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("FREQ=SECONDLY;COUNT=3", "FREQ can be DAILY"),
        ("FREQ=MINUTELY;COUNT=3", "FREQ can be DAILY"),
        ("FREQ=HOURLY;COUNT=3", "FREQ can be DAILY"),
        ("COUNT=3", "FREQ can be DAILY"),
        ("FREQ=DAILY;BYSECOND=0,30;COUNT=3", "Remove BYSECOND"),
        ("FREQ=DAILY;BYMINUTE=5;COUNT=3", "Remove BYMINUTE"),
        ("FREQ=DAILY;BYHOUR=5;COUNT=3", "Remove BYHOUR"),
        ("FREQ=DAILY", "needs an end"),
        ("FREQ=DAILY;COUNT=1001", "COUNT can be 1 to 1,000"),
        ("FREQ=DAILY;COUNT=0", "COUNT can be 1 to 1,000"),
        ("FREQ=DAILY;COUNT=9" + "9" * 150, "COUNT can be 1 to 1,000"),
        ("FREQ=DAILY;INTERVAL=0;COUNT=3", "INTERVAL can be"),
        ("FREQ=DAILY;COUNT=3;UNTIL=20270101", "not both"),
        ("FREQ=DAILY;UNTIL=20390101", "within five years"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL is a day"),
        ("FREQ=DAILY;UNTIL=20301231", "more than 1,000 times"),
        ("FREQ=YEARLY;COUNT=9", "over five years away"),
        ("FREQ=WEEKLY;BYDAY=XX;COUNT=3", "can't be read"),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "isn't one of the rule's days"),
        ("FREQ=DAILY;BYMONTHDAY=31;COUNT=3", "can't be used with FREQ=DAILY"),
        ("FREQ=MONTHLY;BYMONTHDAY=77;COUNT=3", "isn't one of the rule's days"),
        ("FREQ=DAILY;FREQ=WEEKLY;COUNT=3", "isn't a part of a rule"),
        ("every Sunday", "isn't a part of a rule"),
        ("FREQ=DAILY\r\nEXRULE:FREQ=DAILY;COUNT=3", "one line"),
        ("FREQ=DAILY;" + "X" * 300, "1 to 200 characters"),
        ("", "1 to 200 characters"),
    ],
)
def test_a_rule_that_no_calendar_of_maintenance_has_is_refused_with_a_reason(rule, sentence):
    with pytest.raises(BadRule) as refused:
        check_rule(rule, span(2026, 10, 11, 2), BERLIN, None)
    assert sentence in str(refused.value)


def test_the_end_is_the_earlier_of_the_rule_and_the_form():
    first, last = span(2026, 11, 1, 2), local(2026, 11, 20, 23, 59)
    for rule in ("FREQ=WEEKLY", "RRULE:freq=weekly;until=20261231", "FREQ=WEEKLY;COUNT=9"):
        assert len(starts(check_rule(rule, first, BERLIN, last))) == 3
    assert len(starts(check_rule("FREQ=WEEKLY;UNTIL=20261115", first, BERLIN, None))) == 3
    exact = check_rule("FREQ=WEEKLY;UNTIL=20261115T005900Z", first, BERLIN, None)
    assert len(starts(exact)) == 2


ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
FIRST = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 31)).map(
    lambda at: at.replace(second=0, microsecond=0)
)


@given(FIRST, ZONES, st.sampled_from(["DAILY", "WEEKLY"]), st.integers(1, 60), st.integers(1, 3000))
def test_occurrences_are_in_order_keep_their_local_time_and_length(
    first, zone, frequency, count, length
):
    start = first.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assume(start.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == first)
    one = Span(start, start + length * MINUTE)
    series = check_rule(f"FREQ={frequency};COUNT={count}", one, zone, None)
    found = list(occurrences(series))
    assert len(found) == count and found[0] == one and found == sorted(found)
    assert {each.minutes for each in found} == {length}
    assert last_end(series) == max(each.end for each in found)
    wall = [each.start.astimezone(ZoneInfo(zone)) for each in found]
    moved = [at for at in wall if (at.hour, at.minute) != (first.hour, first.minute)]
    assert len(moved) <= 2, "only in the nights that skip it"
    joined = union(found)
    assert minutes(found) == sum(each.minutes for each in joined) <= length * count
    assert all(a.end < b.start for a, b in pairwise(joined))


@given(FIRST, st.integers(1, 40), st.integers(0, 60), st.integers(1, 20))
def test_what_is_in_a_span_is_what_has_a_minute_in_it(first, count, offset, days):
    start = first.replace(tzinfo=UTC)
    series = check_rule(
        f"FREQ=DAILY;COUNT={count}", Span(start, start + timedelta(hours=30)), "UTC", None
    )
    within = Span(start + timedelta(days=offset - 10), start + timedelta(days=offset - 10 + days))
    expected = [
        each for each in occurrences(series) if each.start < within.end and each.end > within.start
    ]
    assert list(occurrences_in(series, within)) == expected
