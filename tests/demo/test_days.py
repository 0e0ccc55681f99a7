"""Days of the demo, all counted back from the day on which it started."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from governance.demo import (
    acme_assessments,
    cast,
    economics_close_story,
    economics_costs_story,
    economics_rates_story,
)
from governance.demo.economics_close_story import CLOSED, CORRECTED_MONTH
from governance.demo.economics_revenue_story import IMPORTED
from governance.economics.rates import actions as rates
from governance.economics.rates import queries as entered
from governance.kernel import clock
from governance.kernel.months import Month, ZonePeriod, month_span
from tests import make
from tests.demo.frozen_days import begun_at

YEAR = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize("hour", [21, 22, 23])  # UTC; from 22:00 or 23:00 it is tomorrow in Berlin
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


@pytest.mark.parametrize("day", YEAR[::5] + [each for each in YEAR if each.day <= 10])
def test_an_assessment_is_concluded_and_signed_before_it_is_closed(monkeypatch, day):
    begun_at(monkeypatch, datetime(day.year, day.month, day.day, 0, 10, tzinfo=UTC))
    acme = cast.Cast("acme", "https://idp.example/acme")
    told = list(acme_assessments.assessment_events(acme, random.Random(1)))
    closed = [(each.day, each.act.func.__name__) for each in told[:4]]
    assert [name for _, name in sorted(closed)] == ["_start", "_conclude", "_sign", "_close"]
    assert max(closed)[0] < day
    assert all(each.day <= day for each in told[4:])


@pytest.mark.parametrize(
    "start",
    [
        datetime(2026, 12, 1, 0, 10, tzinfo=UTC),
        datetime(2026, 12, 2, 18, tzinfo=UTC),
        datetime(2026, 12, 3, 12, tzinfo=UTC),
        datetime(2026, 12, 4, 12, tzinfo=UTC),
        datetime(2026, 12, 31, 23, 50, tzinfo=UTC),  # January in Berlin
        datetime(2027, 1, 1, 9, tzinfo=UTC),
    ],
)
def test_each_month_up_to_the_present_one_has_a_rate(app, database, monkeypatch, start):
    begun_at(monkeypatch, start)
    finance = make.actor("operator_finance", "console")
    economics_rates_story.enter(finance, "USD", (Decimal("0.9"), Decimal("0.8")), "ECB")
    with clock.frozen(start), make.acting("operator_finance", "console"):
        present = rates.present_month()
        months = [present.plus(-back) for back in range(cast.MONTHS + 1)]
        assert [each for each in months if entered.entered_rate(each, "USD") is None] == []
