"""Scores of objectives: windows, service hours, exclusions, coverage, and three statements."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from governance.kernel import clock
from governance.kernel.intervals import MINUTE, Span
from governance.operations.measurements import actions as measuring
from governance.operations.measurements.scoring import budget
from governance.operations.objectives import actions, queries
from tests.operations.objectives.objective_helpers import (
    before,
    define,
    exclude,
    minutes_of,
    objective,
)

NOW = datetime(2026, 11, 25, 10, 10, tzinfo=UTC)
TWO_DAYS = before(NOW, days=2)


@pytest.fixture(autouse=True)
def _frozen():
    with clock.frozen(NOW + timedelta(seconds=20)):
        yield


def only(found):
    return queries.readings([found])[0]


def test_a_score_counts_the_window_that_ends_now(acting, database):
    with acting():
        indicator = define()
        measuring.store(minutes_of(indicator, TWO_DAYS, good=9))
        found = objective(indicator, window_days=1)
        score = queries.score_of(found)
        assert (score.window, score.excluded) == (1440, 0)
        assert (score.measured, score.lost) == (14_400, 1440)
        assert budget(score, found.target_share).allowed == 72
        earlier = queries.score_of(found, NOW - timedelta(hours=30))
        assert earlier.measured == 18 * 60 * 10


def test_minutes_without_data_leave_the_total_and_shrink_coverage(acting, database):
    with acting():
        indicator = define(kind="downtime", min_requests=3)
        down = Span(NOW - timedelta(hours=1), NOW - timedelta(minutes=50))
        measuring.store(minutes_of(indicator, before(NOW, hours=12), every=2))
        measuring.store(minutes_of(indicator, down, good=0))
        found = objective(indicator, window_days=30)
        reading = only(found)
        assert reading.is_filling
        assert reading.score.window == 12 * 60
        assert reading.score.measured == 6 * 60 + 5
        assert reading.score.lost == 10
        assert reading.score.unknown == 6 * 60 - 5
        assert reading.state == "unknown" and reading.left_share is None
        loosened = actions.change(found, seen=1, reason="r", minimum_coverage=Decimal("0.5"))
        assert loosened is not None
        assert only(found).state == "overspent"


def test_an_objective_without_data_is_unknown_and_never_100_percent(acting, database):
    with acting():
        reading = only(objective(minimum_coverage=Decimal(0)))
        assert reading.score.attained is None
        assert (reading.state, reading.left_share, reading.burn) == ("unknown", None, None)


def test_overlapping_exclusions_hide_minutes_once_and_keep_their_counts(acting, database):
    with acting():
        indicator = define()
        measuring.store(minutes_of(indicator, before(NOW, days=1), good=9))
        hour = Span(NOW - timedelta(hours=3), NOW - timedelta(hours=2))
        exclude(hour)
        exclude(Span(hour.start, hour.start + 30 * MINUTE))  # Nested.
        exclude(Span(hour.start + 50 * MINUTE, hour.end + 20 * MINUTE))  # Overlapping.
        exclude(before(NOW, hours=9), state="proposed")
        exclude(before(NOW, hours=8), indicator_id=define("another"))
        score = only(objective(indicator, window_days=1)).score
        assert (score.window, score.excluded, score.expected) == (1440, 80, 1360)
        assert score.hidden.total == 800 and score.hidden.good == 720
        assert score.measured == 13_600
        assert score.attained == score.attained_without_exclusions == Fraction(9, 10)


def test_only_service_hours_count(acting, database):
    with acting():
        indicator = define()
        measuring.store(minutes_of(indicator, before(NOW, days=1), good=9))
        # 25 November 2026 is a Wednesday; Berlin is an hour ahead.
        hours = {"days": {"wed": [["09:00", "11:00"]], "tue": [["22:00", "24:00"]]}}
        exclude(Span(NOW - timedelta(hours=1), NOW - timedelta(minutes=30)))
        score = only(objective(indicator, window_days=1, service_hours=hours)).score
        assert (score.window, score.excluded) == (240, 30)
        assert score.measured == 2100


def test_a_calendar_month_is_scored_from_its_first_minute_in_the_tenants_zone(acting, database):
    midnight = datetime(2026, 11, 24, 23, 0, tzinfo=UTC)
    first_of_month = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
    with acting():
        indicator = define()
        measuring.store(minutes_of(indicator, TWO_DAYS))
        found = objective(indicator, window="calendar")
        assert only(found).score.window == TWO_DAYS.minutes  # Data starts within the month.
        assert only(found).window.whole.end == first_of_month
        assert queries.score_of(found, first_of_month).window == 0
        assert queries.score_of(found, first_of_month + timedelta(hours=2)).window == 120
        assert midnight.astimezone(UTC) < NOW


def test_pace_and_states(acting, database):
    with acting():
        burning, calm, quiet = define("burning"), define("calm"), define("quiet")
        span = before(NOW, days=2)
        last = before(NOW, hours=2)
        measuring.store(
            [
                *minutes_of(burning, Span(span.start, last.start)),
                *minutes_of(burning, last, good=9),
                *minutes_of(calm, span),
                *minutes_of(quiet, span, good=0, total=0),
                (quiet, NOW - MINUTE, 41, 41),
            ]
        )
        values = {"target": Decimal("0.99"), "window_days": 2}
        spent = only(objective(burning, name="Burning", **values))
        assert spent.score.lost == 120 and spent.budget.allowed == 288
        assert spent.burn == Fraction(120, 14_400) * 100
        assert spent.state == "within"
        tight = only(objective(burning, name="Tight", window_days=2, target=Decimal("0.995")))
        assert tight.state == "runs_out"
        # 24 of 144 remain, at 120 a day.
        assert tight.gone_at == NOW + timedelta(days=1) * 24 / 120
        over = only(objective(burning, name="Over", window_days=2, target=Decimal("0.999")))
        assert over.state == "overspent" and over.budget.left < 0
        assert only(objective(calm, name="Calm", **values)).state == "within"
        few = only(objective(quiet, name="Quiet", **values))
        assert few.state == "quiet" and few.gone_at is None


def test_any_number_of_objectives_is_scored_by_three_statements(acting, database):
    with acting():
        for number in range(12):
            indicator = define(f"indicator-{number}")
            measuring.store(minutes_of(indicator, before(NOW, hours=3)))
            objective(
                indicator,
                name=f"Objective {number}",
                window="calendar" if number % 2 else "rolling",
                service_hours={"days": {"wed": [["00:00", "24:00"]]}} if number % 3 else None,
            )
        exclude(before(NOW, hours=1), rrule="FREQ=DAILY", last_end=NOW + timedelta(days=30))
        found = queries.active_objectives()
        known = queries.indicators_of(found)
        assert len(queries.readings(found, indicators=known)) == 12


def test_another_tenants_minutes_and_exclusions_dont_count(acting, database):
    with acting("admin", "globex"):
        theirs = objective(define("theirs"))
        measuring.store(minutes_of(theirs.indicator_id, before(NOW, hours=5), good=0))
        exclude(before(NOW, hours=5))
    with acting():
        indicator = define()
        measuring.store(minutes_of(indicator, before(NOW, hours=5)))
        score = only(objective(indicator)).score
        assert (score.excluded, score.lost, score.measured) == (0, 0, 3000)
