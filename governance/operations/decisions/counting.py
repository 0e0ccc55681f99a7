"""What a worker has answered since it last told the database, and who heard which version.

In memory, bounded, thread-safe.

Counts hold the minute, the system, the flag and the value: never the context, never the targeting
key.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from governance.kernel import clock

MINUTE = 60
SEEN = 60.0  # seconds after which a consumer that goes on asking is told of again
QUIET = 600.0  # seconds after which one that does not is forgotten here
MOST_COUNTS = 200_000
MOST_CONSUMERS = 100_000  # a worker's, of all tenants
MOST_NAMES = (
    200  # of a key; what it names beyond is heard under the key's own name, as in the database
)

type Counts = dict[
    tuple[str, int, str, str, str], int
]  # tenant's short name, minute, system, flag, value


class Asker(NamedTuple):
    """Who had an answer: the key and its own name, and what the consumer calls itself."""

    key_id: UUID
    key_name: str
    name: str
    region: str
    system_id: UUID | None  # the key's


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
class DecisionCounter:
    """One worker's."""

    _counts: Counts = field(default_factory=dict)
    _heard: dict[tuple[str, UUID, str], Hearing] = field(default_factory=dict)
    _fresh: set[tuple[str, UUID, str]] = field(
        default_factory=set
    )  # those of _heard that the database has to be told of
    _swept: float = 0.0
    _names: Counter[UUID] = field(default_factory=Counter)  # how many of _heard each key has
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, tenant: str, system: str, flag: str, word: str, who: Asker, number: int) -> None:
        """One answer, given to `who`."""
        now = clock.now().timestamp()
        count, consumer = (
            (tenant, int(now // MINUTE), system, flag, word),
            (tenant, who.key_id, who.name),
        )
        with self._lock:
            if count in self._counts or len(self._counts) < MOST_COUNTS:
                self._counts[count] = self._counts.get(count, 0) + 1
            heard = self._heard.get(consumer)
            if heard is None and self._names[who.key_id] >= MOST_NAMES:
                consumer = (tenant, who.key_id, who.key_name)
                heard = self._heard.get(consumer)
            if heard is None:
                if len(self._heard) < MOST_CONSUMERS:
                    self._heard[consumer] = Hearing(who.region, who.system_id, number, now, now)
                    self._names[who.key_id] += 1
                    self._fresh.add(consumer)
                return
            heard.seen = now
            if number > heard.number or now - heard.told_at > SEEN:
                self._fresh.add(consumer)
            if number > heard.number:
                heard.number, heard.at, heard.region = number, now, who.region

    def take_counts(self) -> Mapping[str, dict[tuple[datetime, str, str, str], int]]:
        """By tenant, what was counted; the worker begins anew."""
        with self._lock:
            taken, self._counts = self._counts, {}
        found: dict[str, dict[tuple[datetime, str, str, str], int]] = {}
        for (tenant, minute, system, flag, word), asked in taken.items():
            found.setdefault(tenant, {})[
                datetime.fromtimestamp(minute * MINUTE, UTC), system, flag, word
            ] = asked
        return found

    def give_back(self, tenant: str, counts: Mapping[tuple[datetime, str, str, str], int]) -> None:
        """What could not be written is counted again later."""
        with self._lock:
            for (at, system, flag, word), asked in counts.items():
                key = (tenant, int(at.timestamp() // MINUTE), system, flag, word)
                if key in self._counts or len(self._counts) < MOST_COUNTS:
                    self._counts[key] = self._counts.get(key, 0) + asked

    def news(self) -> list[tuple[str, UUID, str, Hearing]]:
        """Consumers who heard a newer number than was told, or were heard again SEEN seconds after
        they were last told of.
        """
        now = clock.now().timestamp()
        with self._lock:
            if now - self._swept > SEEN:
                self._swept = now
                self._forget(
                    [
                        key
                        for key, h in self._heard.items()
                        if key not in self._fresh and now - h.seen > QUIET
                    ]
                )
            return [(*key, replace(self._heard[key])) for key in self._fresh]

    def forget(self, tenant: str) -> None:
        """What its consumers had heard: numbers of a database that was restored since mean
        something else.
        """
        with self._lock:
            self._forget([key for key in self._heard if key[0] == tenant])

    def _forget(self, consumers: Iterable[tuple[str, UUID, str]]) -> None:
        for consumer in consumers:
            del self._heard[consumer]
            self._fresh.discard(consumer)
            self._names[consumer[1]] -= 1
            if not self._names[consumer[1]]:
                del self._names[consumer[1]]

    def told(self, tenant: str, key_id: UUID, name: str, heard: Hearing) -> None:
        """The database knows of it."""
        with self._lock:
            if (held := self._heard.get((tenant, key_id, name))) is not None:
                held.told, held.told_at = (
                    max(held.told, heard.number),
                    max(held.told_at, heard.seen),
                )
                if held.told == held.number:
                    self._fresh.discard((tenant, key_id, name))
