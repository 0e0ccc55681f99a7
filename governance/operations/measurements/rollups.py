"""Rollups that add up to a span: full days, full hours, and minutes at its edges.

parts           each part is added; any two are disjoint
signed_parts    the same sum from fewer rows: an hour with few minutes outside the span is added,
                and these minutes are subtracted

Pure. Hours and days are those of UTC, so no clock change touches them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from governance.kernel.intervals import MINUTE, Span

type Grain = Literal["minute", "hour", "day"]

GRAINS: tuple[Grain, ...] = ("minute", "hour", "day")
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
SOON = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Part(NamedTuple):
    """A span that rows of one grain add up to."""

    grain: Grain
    span: Span


def parts(span: Span) -> Iterator[Part]:
    """Yield the disjoint parts of a span, with coarse ones for full hours and days."""
    hours = inner(span, HOUR)
    if hours is None:
        yield Part("minute", span)
        return
    yield from _edges("minute", span, hours)
    days = inner(hours, DAY)
    if days is None:
        yield Part("hour", hours)
        return
    yield from _edges("hour", hours, days)
    yield Part("day", days)


def inner(span: Span, unit: timedelta) -> Span | None:
    """Return the full units inside a span, or None without one."""
    start, end = -(-(span.start - EPOCH) // unit), (span.end - EPOCH) // unit
    return Span(EPOCH + start * unit, EPOCH + end * unit) if start < end else None


def _edges(grain: Grain, outer: Span, within: Span) -> Iterator[Part]:
    if outer.start < within.start:
        yield Part(grain, Span(outer.start, within.start))
    if within.end < outer.end:
        yield Part(grain, Span(within.end, outer.end))


class SignedPart(NamedTuple):
    """A span of rows of one grain; `sign` is 1 to add them, -1 to subtract them."""

    grain: Grain
    span: Span
    sign: int


def signed_parts(span: Span, now: datetime) -> Iterator[SignedPart]:
    """Yield the parts whose sums, added and subtracted, are the sum of the span.

    Every minute of the span counts once and no other one does. `now` is where rows are likely to
    end: it affects the choice of parts, never the sum. So a window that ends now reads the current
    day as one row.
    """
    finer: Grain = "minute"
    if span.minutes > HOUR // MINUTE and now - span.end < SOON:
        tomorrow = EPOCH + ((span.end - EPOCH) // DAY + 1) * DAY
        yield SignedPart("minute", Span(span.end, tomorrow), -1)  # Hardly any rows
        span = Span(span.start, tomorrow)
    units: tuple[tuple[Grain, timedelta], ...] = (("hour", HOUR), ("day", DAY))
    for grain, unit in units:
        start, end = _nearest(span.start, unit, now), _nearest(span.end, unit, now)
        if start >= end:
            break
        yield from _difference(finer, span.start, start)
        yield from _difference(finer, end, span.end)
        finer, span = grain, Span(start, end)
    yield SignedPart(finer, span, 1)


def _difference(grain: Grain, start: datetime, end: datetime) -> Iterator[SignedPart]:
    """Yield a part that adds from `start` forward to `end`, or subtracts back to it."""
    if start != end:
        yield SignedPart(grain, Span(min(start, end), max(start, end)), 1 if start < end else -1)


def _nearest(at: datetime, unit: timedelta, now: datetime) -> datetime:
    """Return the start or the end of the unit around `at`: the one with fewer rows between."""
    begin = EPOCH + (at - EPOCH) // unit * unit
    end = begin + unit
    before, after = min(at, now) - begin, min(end, now) - at
    return begin if at == begin or before <= after else end


def minute_number(at: datetime) -> int:
    """Return minutes since 1970.

    Raises ValueError unless `at` is a full, time zone aware minute.
    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    number, rest = divmod(at - EPOCH, MINUTE)
    if rest:
        raise ValueError(f"{at} is not a whole minute")
    return number


def minute_at(number: int) -> datetime:
    """Return the minute with that number."""
    return EPOCH + number * MINUTE
