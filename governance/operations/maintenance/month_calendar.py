"""A month as weeks of days, with the occurrences of each day. Pure."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.operations.maintenance.models import Exclusion
from governance.operations.maintenance.queries import ExclusionSpan

DAY = timedelta(days=1)
MAX_SHOWN = 3  # Entries per day


@dataclass(frozen=True, slots=True)
class DayEntry:
    """An occurrence on one day. `words` has its hours on that day: "02:00 to 04:00"."""

    exclusion: Exclusion
    words: str


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """A day of the calendar; `more` counts the entries that aren't shown."""

    day: date
    is_in_month: bool
    is_today: bool
    entries: Sequence[DayEntry]
    more: int


def shown_span(month: Month, zone: ZoneInfo) -> Span:
    """Return the weeks that a month's calendar shows, in UTC."""
    days = _days(month)
    return Span(_midnight(days[0], zone), _midnight(days[-1] + DAY, zone))


def weeks(
    month: Month, zone: ZoneInfo, found: Iterable[ExclusionSpan], today: date
) -> list[list[CalendarDay]]:
    """Return the weeks of a month, Monday first, with the occurrences of each day by start."""
    every, made = list(found), []
    for day in _days(month):
        span = Span(_midnight(day, zone), _midnight(day + DAY, zone))
        entries = [
            DayEntry(each.exclusion, _hours(each.span, span, zone))
            for each in every
            if each.span.start < span.end and each.span.end > span.start
        ]
        made.append(
            CalendarDay(
                day,
                day.month == month.number,
                day == today,
                entries[:MAX_SHOWN],
                max(0, len(entries) - MAX_SHOWN),
            )
        )
    return [made[n : n + 7] for n in range(0, len(made), 7)]


def _days(month: Month) -> list[date]:
    return list(calendar.Calendar().itermonthdates(month.year, month.number))


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time.min, zone).astimezone(UTC)


def _hours(span: Span, day: Span, zone: ZoneInfo) -> str:
    start, end = span.start <= day.start, span.end >= day.end
    if start and end:
        return "all day"
    first, last = (at.astimezone(zone).strftime("%H:%M") for at in span)
    if start:
        return f"until {last}"
    return f"from {first}" if end and span.end > day.end else f"{first} to {last}"
