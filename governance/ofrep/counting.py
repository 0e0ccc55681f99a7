"""What a worker has answered since it last told the database, and who heard which version. In memory, bounded, thread-safe.

Counts hold the minute, the system, the flag and the value: never the context, never the targeting key.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

from governance.kernel import clock

MINUTE = 60
MOST_COUNTS = 200_000
MOST_CONSUMERS = 10_000  # a worker's; further ones are counted under their key's own name

type Counts = dict[tuple[str, int, str, str, str], int]  # tenant's short name, minute, system, flag, value


@dataclass(slots=True)
class Hearing:
    """A consumer: what it last had an answer from, and when it first had one of that number."""

    region: str
    system_id: UUID | None
    number: int
    at: float
    seen: float
    told: int = -1  # the number that the database knows of
    told_at: float = 0.0


@dataclass(slots=True)
class Tally:
    """One worker's."""

    _counts: Counts = field(default_factory=dict)
    _heard: dict[tuple[str, UUID, str], Hearing] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, tenant: str, system: str, flag: str, word: str, who: tuple[UUID, str, str, UUID | None], number: int) -> None:
        """One answer, given to `who`: key, name, region, the key's system."""
        now = clock.now().timestamp()
        key_id, name, region, system_id = who
        count, consumer = (tenant, int(now // MINUTE), system, flag, word), (tenant, key_id, name)
        with self._lock:
            if count in self._counts or len(self._counts) < MOST_COUNTS:
                self._counts[count] = self._counts.get(count, 0) + 1
            heard = self._heard.get(consumer)
            if heard is None:
                if len(self._heard) >= MOST_CONSUMERS:
                    return
                self._heard[consumer] = Hearing(region, system_id, number, now, now)
                return
            heard.seen = now
            if number > heard.number:
                heard.number, heard.at, heard.region = number, now, region

    def take_counts(self) -> Mapping[str, dict[tuple[datetime, str, str, str], int]]:
        """By tenant, what was counted; the worker begins anew."""
        with self._lock:
            taken, self._counts = self._counts, {}
        found: dict[str, dict[tuple[datetime, str, str, str], int]] = {}
        for (tenant, minute, system, flag, word), asked in taken.items():
            found.setdefault(tenant, {})[datetime.fromtimestamp(minute * MINUTE, UTC), system, flag, word] = asked
        return found

    def give_back(self, tenant: str, counts: Mapping[tuple[datetime, str, str, str], int]) -> None:
        """What could not be written is counted again later."""
        with self._lock:
            for (at, system, flag, word), asked in counts.items():
                key = (tenant, int(at.timestamp() // MINUTE), system, flag, word)
                if key in self._counts or len(self._counts) < MOST_COUNTS:
                    self._counts[key] = self._counts.get(key, 0) + asked

    def news(self, *, every: float) -> list[tuple[str, UUID, str, Hearing]]:
        """Consumers who heard a newer number than was told, or were heard again `every` seconds after they were last told of."""
        now = clock.now().timestamp()
        with self._lock:
            quiet = [key for key, h in self._heard.items() if h.told == h.number and now - h.seen > 10 * every]
            for key in quiet:
                del self._heard[key]
            fresh = [(key, h) for key, h in self._heard.items() if h.told != h.number or h.seen - h.told_at > every]
            return [(*key, replace(h)) for key, h in fresh]

    def told(self, tenant: str, key_id: UUID, name: str, heard: Hearing) -> None:
        """The database knows of it."""
        with self._lock:
            if (held := self._heard.get((tenant, key_id, name))) is not None:
                held.told, held.told_at = max(held.told, heard.number), max(held.told_at, heard.seen)
