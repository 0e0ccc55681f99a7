"""Expected and obeying consumers of a stop, and their speed. Pure; durations in seconds.

Listener                       a consumer with its last connection
expected(listeners, …)         the consumers that a stop must reach
obedience(…) -> Obedience      obeyed, missing, slowest, median, by region
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from uuid import UUID

FORGOTTEN_AFTER = timedelta(hours=24)
TARGET_SECONDS = 1.0  # Time within which every consumer must obey
NO_REGION = "No region"


@dataclass(frozen=True, slots=True)
class Listener:
    """A consumer. `system_id` None: its key is for every system. `version`: newest obeyed one."""

    id: UUID
    name: str
    region: str
    system_id: UUID | None
    version: int
    seen_at: datetime

    def is_under(self, system_id: UUID | None) -> bool:
        """Return True if a stop of this system (None: of all systems) reaches it."""
        return system_id is None or self.system_id is None or self.system_id == system_id

    def is_heard(self, at: datetime) -> bool:
        """Return True if it connected in the 24 hours before."""
        return at - self.seen_at <= FORGOTTEN_AFTER


def expected(listeners: Iterable[Listener], system_id: UUID | None, at: datetime) -> list[Listener]:
    """Return the consumers that must obey a stop made at the instant."""
    return [each for each in listeners if each.is_under(system_id) and each.is_heard(at)]


@dataclass(frozen=True, slots=True)
class ConsumerObedience:
    """One consumer and its seconds; None if it has not obeyed yet."""

    listener: Listener
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Obedience:
    """The expected consumers of a stop, fastest first and missing ones last.

    `later` counts the consumers that connected after it.
    """

    each: tuple[ConsumerObedience, ...] = ()
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
        """True if there are expected consumers and every one obeyed."""
        return bool(self.each) and not self.missing

    @property
    def slowest(self) -> float | None:
        return max(self.seconds, default=None)

    @property
    def median(self) -> float | None:
        return median(self.seconds) if self.seconds else None

    @property
    def regions(self) -> Mapping[str, list[ConsumerObedience]]:
        """The consumers by region, largest region first."""
        found: dict[str, list[ConsumerObedience]] = {}
        for one in self.each:
            found.setdefault(one.listener.region or NO_REGION, []).append(one)
        return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))

    def within(self, limit: float) -> bool:
        """Return True if there are expected consumers and every one obeyed in time."""
        return self.is_whole and (self.slowest or 0) <= limit


def obedience(
    listeners: Mapping[UUID, Listener],
    of: Collection[UUID],
    acknowledged: Mapping[UUID, datetime],
    since: datetime,
) -> Obedience:
    """Return the obedience of the consumers with ids `of`; `acknowledged` has the time of each.

    A consumer whose clock is behind counts as 0 seconds, never less.
    """
    known = [listeners[one] for one in dict.fromkeys(of) if one in listeners]
    each = [ConsumerObedience(one, _seconds(acknowledged.get(one.id), since)) for one in known]
    each.sort(key=lambda one: (one.seconds is None, one.seconds or 0, one.listener.name))
    return Obedience(tuple(each), len(acknowledged.keys() - {one.id for one in known}))


def _seconds(at: datetime | None, since: datetime) -> float | None:
    return None if at is None else max(0.0, (at - since).total_seconds())
