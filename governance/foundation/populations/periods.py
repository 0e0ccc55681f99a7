"""The period that a collector run covers. Pure: today is an argument.

    Period                                   its name ("2026-10", "2026-Q3", "2026-W44",
                                             "2026-11-24"), first and last day
    period_containing(schedule, day)         the period that a day is in
    closed_periods(schedule, since, today)   all that have ended, oldest first
    next_due(schedule, today)                the day on which the current period has ended

Days are UTC, as in the audit log. A period is collected once it is over, when it is complete.
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
        """The first instant of the period."""
        return datetime.combine(self.first, time(), UTC)

    @property
    def until(self) -> datetime:
        """The first instant after the period."""
        return datetime.combine(self.last + DAY, time(), UTC)


def period_containing(schedule: str, day: date) -> Period:
    """Return the period that contains the day. Raises KeyError for an unknown schedule."""
    return {"daily": _day, "weekly": _week, "monthly": _month, "quarterly": _quarter}[schedule](day)


def previous_period(schedule: str, day: date) -> Period:
    """Return the last period that had ended by that day."""
    return period_containing(schedule, period_containing(schedule, day).first - DAY)


def closed_periods(schedule: str, since: date, today: date) -> Sequence[Period]:
    """Return the periods that ended on or after `since` and before today, without gaps."""
    found: list[Period] = []
    period = previous_period(schedule, today)
    while period.last >= since:
        found.append(period)
        period = previous_period(schedule, period.first)
    return found[::-1]


def next_due(schedule: str, today: date) -> date:
    return period_containing(schedule, today).last + DAY


def day_range(first: date, last: date) -> Period:
    """Return any range of days, for a population requested manually."""
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
