"""Who was to obey a stop, who did, and how fast. Pure; lengths in seconds.

Listener                       a consumer as it was last heard
expected(listeners, …)         those that a stop of that scope has to reach
obedience(…) -> Obedience      obeyed, missing, slowest, median, by region
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

FORGOTTEN_AFTER = timedelta(hours=24)
PROMISE = 1.0  # seconds within which every consumer obeys
NOWHERE = "no region named"


@dataclass(frozen=True, slots=True)
class Listener:
    """`system_id` None: its key is good for every system. `version`: the newest that it obeys."""

    id: UUID
    name: str
    region: str
    system_id: UUID | None
    version: int
    seen_at: datetime

    def is_under(self, system_id: UUID | None) -> bool:
        """Whether a stop of that system (None: of all systems) reaches it."""
        return system_id is None or self.system_id is None or self.system_id == system_id

    def is_heard(self, at: datetime) -> bool:
        """Whether it asked in the day before the instant."""
        return at - self.seen_at <= FORGOTTEN_AFTER


def expected(listeners: Iterable[Listener], system_id: UUID | None, at: datetime) -> list[Listener]:
    """Those that have to obey a stop made at the instant.

    Who was not heard for a day is forgotten.
    """
    return [each for each in listeners if each.is_under(system_id) and each.is_heard(at)]


@dataclass(frozen=True, slots=True)
class Obeyed:
    """One consumer and how long it took; None: it has not obeyed yet."""

    listener: Listener
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Obedience:
    """Of one stop: each expected consumer, the fastest first and those that are missing last;
    `later` came after it.
    """

    each: tuple[Obeyed, ...] = ()
    later: int = 0

    @property
    def seconds(self) -> list[float]:
        return [one.seconds for one in self.each if one.seconds is not None]

    @property
    def expected(self) -> int:
        return len(self.each)

    @property
    def obeyed(self) -> int:
        return len(self.seconds)

    @property
    def missing(self) -> list[Listener]:
        return [one.listener for one in self.each if one.seconds is None]

    @property
    def is_whole(self) -> bool:
        """Every expected consumer obeyed, and there was one."""
        return bool(self.each) and not self.missing

    @property
    def slowest(self) -> float | None:
        return max(self.seconds, default=None)

    @property
    def median(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    @property
    def regions(self) -> Mapping[str, list[Obeyed]]:
        """By region, the one with most consumers first."""
        found: dict[str, list[Obeyed]] = {}
        for one in self.each:
            found.setdefault(one.listener.region or NOWHERE, []).append(one)
        return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))

    def within(self, limit: float) -> bool:
        """Whether every expected consumer obeyed in that time, and there was one."""
        return self.is_whole and (self.slowest or 0) <= limit


def obedience(
    listeners: Mapping[UUID, Listener],
    of: Collection[UUID],
    acknowledged: Mapping[UUID, datetime],
    since: datetime,
) -> Obedience:
    """`of` are the ids of the expected consumers, `acknowledged` when each first obeyed.

    A clock that is behind the stop's gives no negative time: such a consumer took 0 seconds.
    """
    there = [listeners[one] for one in dict.fromkeys(of) if one in listeners]
    each = [Obeyed(one, _seconds(acknowledged.get(one.id), since)) for one in there]
    each.sort(key=lambda one: (one.seconds is None, one.seconds or 0, one.listener.name))
    return Obedience(tuple(each), len(acknowledged.keys() - {one.id for one in there}))


def _seconds(at: datetime | None, since: datetime) -> float | None:
    return None if at is None else max(0.0, (at - since).total_seconds())
