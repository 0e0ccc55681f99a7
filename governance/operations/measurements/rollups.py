"""Which rollups add up to a span: whole days, whole hours, and minutes at its edges.

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
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Part(NamedTuple):
    """A span that rows of one grain add up to."""

    grain: Grain
    span: Span


def parts(span: Span) -> Iterator[Part]:
    """The disjoint parts of a span, coarse where it covers a whole hour or day."""
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
    """The whole units inside a span; None without one."""
    start, end = -(-(span.start - EPOCH) // unit), (span.end - EPOCH) // unit
    return Span(EPOCH + start * unit, EPOCH + end * unit) if start < end else None


def _edges(grain: Grain, outer: Span, within: Span) -> Iterator[Part]:
    if outer.start < within.start:
        yield Part(grain, Span(outer.start, within.start))
    if within.end < outer.end:
        yield Part(grain, Span(within.end, outer.end))


def minute_number(at: datetime) -> int:
    """Minutes since 1970. Raises ValueError unless `at` is a whole minute with a time zone."""
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    number, rest = divmod(at - EPOCH, MINUTE)
    if rest:
        raise ValueError(f"{at} is not a whole minute")
    return number


def minute_at(number: int) -> datetime:
    """The minute with that number."""
    return EPOCH + number * MINUTE
