"""Minute counts of the demo's indicators: quiet services, and the outages of the story. Pure.

The seed is fixed. All instants are whole minutes in UTC.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.kernel.intervals import MINUTE

type Row = tuple[datetime, int, int]  # minute, good, total


@dataclass(frozen=True, slots=True)
class Episode:
    """Minutes that differ from quiet ones.

    `bad` is the share of events that fail, or None for no data. `rate` replaces the usual
    events/min.
    """

    start: datetime
    minutes: int
    bad: float | None
    rate: float | None = None

    @property
    def end(self) -> datetime:
        return self.start + self.minutes * MINUTE


@dataclass(frozen=True, slots=True)
class MinuteSeries:
    """One indicator: events/min by day, the share that fails on a quiet day, and its episodes."""

    seed: int
    rate: float
    bad: float
    since: datetime
    until: datetime
    episodes: Sequence[Episode] = ()
    night: float = 0.25  # relative to the rate by day

    def rows(self) -> Iterator[Row]:
        """Yield the minutes in order. Minutes without data are absent."""
        chance = random.Random(self.seed)  # noqa: S311 - a story, not a secret
        different = {
            (each.start + n * MINUTE): each for each in self.episodes for n in range(each.minutes)
        }
        at = self.since
        while at < self.until:
            episode = different.get(at)
            draw = chance.random()
            if episode is None:
                yield self._quiet(at, draw)
            elif episode.bad is not None:
                total = max(3, round(episode.rate or self._usual(at)))
                yield at, total - min(total, round(total * episode.bad)), total
            at += MINUTE

    def _usual(self, at: datetime) -> float:
        """Return the usual events/min: fewer at night and on weekends."""
        day = 1.0 if 6 <= at.hour < 18 else self.night  # noqa: PLR2004 - office hours in UTC
        return self.rate * day * (0.5 if at.weekday() > 4 else 1.0)  # noqa: PLR2004 - the weekend

    def _quiet(self, at: datetime, draw: float) -> Row:
        """Return integer counts whose mean is the rate. One draw decides the count and a failure."""
        usual = self._usual(at)
        total = int(usual) + (draw < usual % 1)
        if not total:
            return at, 0, 0
        fails = (draw * 7919) % 1 < self.bad * total
        return at, total - fails, total


def scattered(
    seed: int, first: datetime, last: datetime, *, minutes: int, longest: int = 9
) -> list[Episode]:
    """Return short outages between two instants, with the given total of minutes."""
    chance, left, found = random.Random(seed), minutes, list[Episode]()  # noqa: S311 - a story
    room = (last - first) // MINUTE
    while left > 0:
        length = min(left, chance.randint(1, longest))
        start = first + chance.randrange(max(1, room - length)) * MINUTE
        if any(
            start - timedelta(minutes=2) < each.end and each.start < start + (length + 2) * MINUTE
            for each in found
        ):
            continue
        found.append(Episode(start, length, 1.0))
        left -= length
    return sorted(found, key=lambda each: each.start)
