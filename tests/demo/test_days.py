"""Days of the demo: all are counted back from the one on which it began, whatever day that is."""

from datetime import UTC, date, datetime, timedelta

import pytest

from governance.demo import cast, economics_close_story, economics_costs_story
from governance.demo.economics_close_story import CLOSED, CORRECTED_MONTH
from governance.demo.economics_revenue_story import IMPORTED
from governance.kernel.months import Month, ZonePeriod, month_span
from tests.demo.frozen_days import begun_at

YEAR = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize("hour", [21, 22, 23])  # UTC; from 22 or 23 on it is tomorrow in Berlin
def test_a_demo_that_is_told_past_midnight_stays_on_its_day(monkeypatch, hour):
    start = datetime(2026, 11, 30, hour, 58, tzinfo=UTC)
    now = begun_at(monkeypatch, start)
    before = [cast.days_ago(n) for n in range(5)]
    assert before[0] == date(2026, 11, 30)
    now.move(timedelta(hours=3))
    assert [cast.days_ago(n) for n in range(5)] == before
    assert cast.moment_of(cast.days_ago(0), 23) <= now()


@pytest.mark.parametrize("day", YEAR[::5] + [each for each in YEAR if each.day <= 5])
def test_every_month_that_closes_is_over_and_has_its_bills(monkeypatch, day):
    begun_at(monkeypatch, datetime(day.year, day.month, day.day, 23, 58, tzinfo=UTC))
    months = economics_close_story.closed_months()
    imported = Month.of(cast.days_ago(IMPORTED))
    assert months == economics_costs_story._months(imported)
    berlin = [ZonePeriod(datetime(2000, 1, 1, tzinfo=UTC), "Europe/Berlin")]
    at = cast.moment_of(cast.days_ago(CLOSED))
    assert all(month_span(berlin, month).end <= at for month in months)
    assert months[-CORRECTED_MONTH] == imported.plus(-CORRECTED_MONTH)
