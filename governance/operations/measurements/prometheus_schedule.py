"""When to ask Prometheus, and for which minutes. Pure.

A source that fails is asked again after one minute, then two, four and so on up to an hour, each
time with up to half of it taken off at random, so that many sources don't return at once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance.kernel.intervals import MINUTE, whole_minute

MIN_WAIT, MAX_WAIT = timedelta(minutes=1), timedelta(hours=1)
MAX_DOUBLINGS = 10
MAX_GAP_AGE = timedelta(hours=48)  # how far back a pull fills gaps by itself
SETTLING_TIME = timedelta(seconds=30)  # after its end, a minute has all of its samples
LEAD_IN = timedelta(minutes=6)  # samples before the first minute: what counters had grown to
MAX_REQUEST_SPAN, MIN_REQUEST_SPAN = (
    timedelta(hours=6),
    timedelta(minutes=15),
)  # minutes of one request


def wait(failures: int, share: float) -> timedelta:
    """How long to wait after that many failures in a row; `share` is random, from 0 to 1."""
    whole: timedelta = min(MIN_WAIT * 2 ** min(failures - 1, MAX_DOUBLINGS), MAX_WAIT)
    return whole - whole / 2 * share


def ready_until(now: datetime) -> datetime:
    """The end of the last minute that has all of its samples."""
    return whole_minute(now - SETTLING_TIME)


def due(pulled_until: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    """The minutes [first, until) that an ordinary pull asks for; None when there are none."""
    until = ready_until(now)
    oldest = whole_minute(now - MAX_GAP_AGE) + MINUTE
    first = max(pulled_until or oldest, oldest)
    return (first, until) if first < until else None


def chunks(
    first: datetime, until: datetime, longest: timedelta = MAX_REQUEST_SPAN
) -> Iterator[tuple[datetime, datetime]]:
    """Cut minutes into requests, oldest first."""
    while first < until:
        end = min(first + longest, until)
        yield first, end
        first = end
