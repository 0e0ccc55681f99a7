"""Convert raw samples of Prometheus to counts of full minutes. Pure, with integers.

Counters only grow, so a series' growth between two samples is its number of events. The rules:

- Growth belongs to the minute of the later sample. The earlier one must be in that minute or in the
  one before; after a longer gap the minute of the events is unknown, so the minutes of the gap and
  the one that ends it are unknown.
- A value below the previous one is a restart: the counter began at 0, so the value is the growth.
- A series that wasn't in the previous scrape of its target (same job and instance, same instants)
  began at 0 as well: client libraries create a series with its first event. The first sample of a
  new target is only a baseline.
- A minute is known when at least one series has a sample in it and in the minute before. No growth
  is a known minute with 0 events.
- NaN, infinity, fractions, negative numbers and numbers above 2^53 make their minute unknown.
- A minute with more good events than events is unknown, since either count may be wrong.

Prometheus's own increase() extrapolates to the edges of its window and returns fractions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from governance.operations.measurements.prometheus_response import (
    PrometheusFault,
    SampleSeries,
    whole,
)
from governance.operations.measurements.scoring import MinuteCount

MINUTE = 60_000  # milliseconds


@dataclass(slots=True)
class MinuteReading:
    """Counts of minutes, and reasons for unknown ones. Keys are starts of minutes, in ms."""

    counts: dict[int, MinuteCount] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)

    def rows(self, first: datetime, until: datetime) -> list[tuple[datetime, MinuteCount]]:
        """Return (minute, count) of the known minutes in [first, until), in order."""
        start, end = milliseconds(first), milliseconds(until)
        return [
            (datetime.fromtimestamp(at / 1000, UTC), count)
            for at, count in sorted(self.counts.items())
            if start <= at < end
        ]

    def reasons(self, first: datetime, until: datetime) -> dict[str, int]:
        """Return the number of unknown minutes in [first, until) by reason."""
        start, end = milliseconds(first), milliseconds(until)
        found: dict[str, int] = defaultdict(int)
        for at, reason in self.unknown.items():
            if start <= at < end:
                found[reason] += 1
        return dict(found)


HOLE = "samples were missing"
NOT_WHOLE = "a value was no whole number"
TOO_GOOD = "more good events than events"


@dataclass(slots=True)
class _Side:
    """Growth by minute of the series that one selector matches."""

    growth: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    covered: set[int] = field(default_factory=set)
    broken: dict[int, str] = field(default_factory=dict)


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def minute_of(at: int) -> int:
    """Return the start of an instant's minute, both in milliseconds."""
    return at - at % MINUTE


def counter_minutes(
    good: Sequence[SampleSeries], total: Sequence[SampleSeries], *, is_same_metric: bool
) -> MinuteReading:
    """Count minutes from counters.

    With `is_same_metric` the good events are a part of the same metric, so a known minute without a
    series of good events has none. Otherwise the minute is unknown.
    """
    scrapes = _Scrapes([*good, *total])
    return _joined(_side(good, scrapes), _side(total, scrapes), is_same_metric=is_same_metric)


def histogram_minutes(
    series: Sequence[SampleSeries], bound: Decimal, *, good_is_above: bool = False
) -> MinuteReading:
    """Count minutes from the buckets of a classic histogram: good at or under `bound`.

    With `good_is_above`, good events are those above it. Raises PrometheusFault if a histogram has
    no bucket with exactly that bound.
    """
    scrapes = _Scrapes(series)
    at_bound, every = _buckets(series, bound)
    inside, total = _side(at_bound, scrapes), _side(every, scrapes)
    reading = _joined(inside, total, is_same_metric=False)
    if good_is_above:
        reading.counts = {
            at: MinuteCount(count.total - count.good, count.total)
            for at, count in reading.counts.items()
        }
    return reading


def gauge_minutes(good: Sequence[SampleSeries], total: Sequence[SampleSeries]) -> MinuteReading:
    """Count minutes from queries whose value at an instant counts the minute before it.

    Series of one query are added up. Both queries must have a value for a minute.
    """
    reading = MinuteReading()
    goods, totals = _sums(good, reading), _sums(total, reading)
    for at in goods.keys() & totals.keys():
        _put(reading, at, goods[at], totals[at])
    for at in goods.keys() ^ totals.keys():
        reading.unknown.setdefault(at, HOLE)
    return reading


def bounds(series: Iterable[SampleSeries]) -> set[Decimal]:
    """Return the finite bounds ("le") of classic buckets."""
    found = (bound_of(each) for each in series)
    return {bound for bound in found if bound is not None and bound.is_finite()}


def bound_of(series: SampleSeries) -> Decimal | None:
    try:
        return Decimal(series.labels.get("le", "").replace("+Inf", "Infinity"))
    except InvalidOperation:
        return None


def nearest(bound: Decimal, found: Iterable[Decimal]) -> list[Decimal]:
    """Return the next lower bound and the next higher one, if they exist."""
    ordered = sorted(found)
    below = [each for each in ordered if each < bound][-1:]
    return below + [each for each in ordered if each > bound][:1]


def no_bucket(bound: Decimal, found: Iterable[Decimal]) -> str:
    """Return the error for a missing bucket, with the nearest ones."""
    near = " and ".join(f"{each.normalize():f}" for each in nearest(bound, found))
    return (
        f"The histogram has no bucket at {bound.normalize():f}."
        + (f" The nearest are {near}." if " and " in near else "")
        + (f" The nearest is {near}." if near and " and " not in near else "")
    )


# ---- how


class _Scrapes:
    """The scrape times of each target, derived from the instants of its series."""

    def __init__(self, series: Sequence[SampleSeries]) -> None:
        self._before: dict[tuple[tuple[str, str], int], int] = {}
        for each in series:
            target = each.target
            if target is None:
                continue
            for (earlier, _), (later, _) in pairwise(each.samples):
                key = (target, later)
                self._before[key] = max(earlier, self._before.get(key, earlier))

    def before(self, series: SampleSeries, at: int) -> int | None:
        """Return the target's scrape before the one at that instant."""
        return self._before.get((series.target, at)) if series.target else None


def _side(series: Sequence[SampleSeries], scrapes: _Scrapes) -> _Side:
    side = _Side()
    for each in series:
        _follow(each, side, scrapes)
    return side


def _follow(series: SampleSeries, side: _Side, scrapes: _Scrapes) -> None:
    previous: tuple[int, int] | None = None
    for at, text in series.samples:
        minute, value = minute_of(at), whole(text)
        if value is None:
            side.broken[minute] = NOT_WHOLE
            continue
        if previous is not None and previous[0] >= minute - MINUTE:
            grown = value - previous[1]
            side.growth[minute] += grown if grown >= 0 else value
            if previous[0] < minute:
                side.covered.add(minute)
        elif _was_scraped(series, at, scrapes):
            side.growth[minute] += value
        elif previous is not None:
            side.broken.update(dict.fromkeys(_hole(previous[0], minute), HOLE))
        previous = (at, value)


def _was_scraped(series: SampleSeries, at: int, scrapes: _Scrapes) -> bool:
    """Return True if its target was just scraped without it, so that it began at 0."""
    before = scrapes.before(series, at)
    return before is not None and before >= minute_of(at) - MINUTE


def _hole(last: int, minute: int) -> Iterator[int]:
    yield from range(minute_of(last) + MINUTE, minute + MINUTE, MINUTE)


def _joined(good: _Side, total: _Side, *, is_same_metric: bool) -> MinuteReading:
    reading = MinuteReading(unknown={**good.broken, **total.broken})
    for at in total.covered - reading.unknown.keys():
        if is_same_metric or at in good.covered:
            _put(reading, at, good.growth.get(at, 0), total.growth[at])
        else:
            reading.unknown[at] = HOLE
    return reading


def _put(reading: MinuteReading, at: int, good: int, total: int) -> None:
    if at in reading.unknown:
        return
    if good > total:
        reading.unknown[at] = TOO_GOOD
    else:
        reading.counts[at] = MinuteCount(good, total)


def _sums(series: Sequence[SampleSeries], reading: MinuteReading) -> dict[int, int]:
    found: dict[int, int] = defaultdict(int)
    for each in series:
        for end, text in each.samples:
            at, value = minute_of(end) - MINUTE, whole(text)
            if value is None or end % MINUTE:
                reading.unknown[at] = NOT_WHOLE
            else:
                found[at] += value
    return found


def _buckets(
    series: Sequence[SampleSeries], bound: Decimal
) -> tuple[list[SampleSeries], list[SampleSeries]]:
    """Return the buckets at the bound and the buckets of all events, of the same histograms."""
    at_bound, every = [], []
    for each in series:
        found = bound_of(each)
        if found == bound:
            at_bound.append(each)
        elif found == Decimal("Infinity"):
            every.append(each)
    if _histograms(every) - _histograms(at_bound):
        raise PrometheusFault(no_bucket(bound, bounds(series)), of_query=True)
    if _histograms(at_bound) - _histograms(every):
        raise PrometheusFault('The histogram has no bucket "+Inf".', of_query=True)
    return at_bound, every


def _histograms(buckets: Iterable[SampleSeries]) -> set[frozenset[tuple[str, str]]]:
    return {frozenset(item for item in each.labels.items() if item[0] != "le") for each in buckets}
