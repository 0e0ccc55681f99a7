"""The window of an objective at an instant.

Pure. Windows end at full minutes, in UTC, without the current minute.

    rolling(at, 30)          the last 30 times 1,440 minutes, regardless of clock changes
    calendar(zones, at)      the month so far, and the full month, in the tenant's time zone
    days_of(span, zone)      the days of a span, each of 23, 24 or 25 hours
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from governance.kernel.intervals import Span, whole_minute
from governance.kernel.months import ZonePeriod, month_of, month_span


class Window(NamedTuple):
    """A window: `so_far` is scored; `whole` is the full window. A rolling one is always full."""

    so_far: Span
    whole: Span


def minute_of(at: datetime) -> datetime:
    """Return the start of that minute, in UTC."""
    return whole_minute(at.astimezone(UTC))


def rolling(at: datetime, days: int) -> Window:
    """Return the last `days` days of 24 hours."""
    end = minute_of(at)
    span = Span(end - timedelta(days=days), end)
    return Window(span, span)


def calendar(zones: Sequence[ZonePeriod], at: datetime) -> Window:
    """Return the calendar month of `at`. At its first minute, the month so far is empty."""
    end = minute_of(at)
    whole = month_span(zones, month_of(zones, end))
    return Window(Span(whole.start, min(end, whole.end)), whole)


def window(kind: str, days: int, zones: Sequence[ZonePeriod], at: datetime) -> Window:
    """Return the window of an objective; `kind` and `days` come from its definition."""
    return calendar(zones, at) if kind == "calendar" else rolling(at, days)


def days_of(span: Span, local: ZoneInfo, *, step: int = 1) -> list[Span]:
    """Return the parts of a span between midnights of the zone; with a `step` of 7, weeks.

    The first and the last part may be shorter than a day.
    """
    first = span.start.astimezone(local).date()
    starts, number = [span.start], step
    while True:
        day = first + timedelta(days=number)
        at = datetime(day.year, day.month, day.day, tzinfo=local).astimezone(UTC)
        if at >= span.end:
            break
        if at > starts[-1]:
            starts.append(at)
        number += step
    return [Span(*pair) for pair in pairwise([*starts, span.end]) if pair[0] < pair[1]]
