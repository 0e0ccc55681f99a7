"""The schedule of Prometheus requests, and the minutes they ask for. Pure.

A failing source is retried after one minute, then two, four and so on up to an hour. Up to half of
the wait is subtracted at random, so that many sources don't return at once.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from governance.kernel.intervals import MINUTE, whole_minute

MIN_WAIT, MAX_WAIT = timedelta(minutes=1), timedelta(hours=1)
MAX_DOUBLINGS = 10
MAX_GAP_AGE = timedelta(hours=48)  # Maximum age of gaps that a pull fills automatically
SETTLING_TIME = timedelta(seconds=30)  # Time after its end until a minute has all of its samples
LEAD_IN = timedelta(minutes=6)  # Samples before the first minute, as a baseline of the counters
MAX_REQUEST_SPAN, MIN_REQUEST_SPAN = (
    timedelta(hours=6),
    timedelta(minutes=15),
)  # Minutes per request


def wait(failures: int, share: float) -> timedelta:
    """Return the wait after that many consecutive failures; `share` is random, from 0 to 1."""
    whole: timedelta = min(MIN_WAIT * 2 ** min(failures - 1, MAX_DOUBLINGS), MAX_WAIT)
    return whole - whole / 2 * share


def ready_until(now: datetime) -> datetime:
    """Return the end of the last minute that has all of its samples."""
    return whole_minute(now - SETTLING_TIME)


def due(pulled_until: datetime | None, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the minutes [first, until) of an ordinary pull, or None if there are none."""
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
