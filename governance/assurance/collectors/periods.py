"""Which stretch of days a run of a collector is about.

Pure: today is given.

    Period                              its name ("2026-10", "2026-Q3", "2026-W44", "2026-11-24"),
                                        first and last day
    holding(schedule, day)              the period that a day is in
    closed(schedule, since, today)      all that have ended, the oldest first
    next_due(schedule, today)           the day on which the period that runs now has ended

Days are those of UTC, as in the log. A period is collected once it is over: only then is its
population complete.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

SCHEDULES = ("daily", "weekly", "monthly", "quarterly")
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    name: str
    first: date
    last: date

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first instant behind it."""
        return datetime.combine(self.last + DAY, time(), UTC)


def period_containing(schedule: str, day: date) -> Period:
    """The period of that schedule that the day is in; a KeyError for a schedule that there is
    not.
    """
    return {"daily": _day, "weekly": _week, "monthly": _month, "quarterly": _quarter}[schedule](day)


def previous_period(schedule: str, day: date) -> Period:
    """The last one that had ended by then."""
    return period_containing(schedule, period_containing(schedule, day).first - DAY)


def closed_periods(schedule: str, since: date, today: date) -> Sequence[Period]:
    """Those that ended on or after `since` and before today, without a gap between them."""
    found: list[Period] = []
    period = previous_period(schedule, today)
    while period.last >= since:
        found.append(period)
        period = previous_period(schedule, period.first)
    return found[::-1]


def next_due(schedule: str, today: date) -> date:
    return period_containing(schedule, today).last + DAY


def day_range(first: date, last: date) -> Period:
    """Any stretch of days, for a population that somebody asks for by hand."""
    return Period(f"{first} to {last}", first, last)


def _day(day: date) -> Period:
    return Period(day.isoformat(), day, day)


def _week(day: date) -> Period:
    first = day - timedelta(days=day.weekday())
    year, week, _ = day.isocalendar()
    return Period(f"{year}-W{week:02}", first, first + timedelta(days=6))


def _month(day: date) -> Period:
    first = day.replace(day=1)
    return Period(f"{day:%Y-%m}", first, _month_end(first))


def _quarter(day: date) -> Period:
    number = (day.month + 2) // 3
    first = date(day.year, number * 3 - 2, 1)
    return Period(f"{day.year}-Q{number}", first, _month_end(date(day.year, number * 3, 1)))


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - DAY
