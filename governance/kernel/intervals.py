"""Spans of time as sets of minutes: union, intersection, difference, length.

A span is half open: [start, end). Both ends are aware instants at the start of a minute, in UTC.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

MINUTE = timedelta(minutes=1)


class Span(NamedTuple):
    """A span from `start` up to, and without, `end`."""

    start: datetime
    end: datetime

    @property
    def minutes(self) -> int:
        return max(0, (self.end - self.start) // MINUTE)


def whole_minute(at: datetime) -> datetime:
    """Return the start of the minute of an instant."""
    return at.replace(second=0, microsecond=0)


def check_span(span: Span) -> None:
    """Raise ValueError unless the span is aware, at starts of minutes, and not empty."""
    for instant in span:
        if instant.tzinfo is None or instant.second or instant.microsecond:
            raise ValueError(f"{instant} is not a whole minute with a time zone")
    if span.end <= span.start:
        raise ValueError(f"the span from {span.start} to {span.end} is empty or negative")


def union(spans: Iterable[Span]) -> list[Span]:
    """Return the same minutes as disjoint spans in order; join overlapping and adjoining ones."""
    joined: list[Span] = []
    for span in sorted(spans):
        if span.end <= span.start:
            continue
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return joined


def intersection(some: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """Return the minutes in both."""
    return list(_common(union(some), union(others)))


def _common(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    i = j = 0
    while i < len(some) and j < len(others):
        start, end = max(some[i].start, others[j].start), min(some[i].end, others[j].end)
        if start < end:
            yield Span(start, end)
        if some[i].end < others[j].end:
            i += 1
        else:
            j += 1


def difference(some: Iterable[Span], without: Iterable[Span]) -> list[Span]:
    """Return the minutes in `some` that are not in `without`."""
    holes = union(without)
    left: list[Span] = []
    for span in union(some):
        start = span.start
        for hole in holes:
            if hole.end <= start or hole.start >= span.end:
                continue
            if hole.start > start:
                left.append(Span(start, hole.start))
            start = max(start, hole.end)
        if start < span.end:
            left.append(Span(start, span.end))
    return left


def minutes(spans: Iterable[Span]) -> int:
    """Return how many minutes the spans cover together."""
    return sum(span.minutes for span in union(spans))
