"""Decisions and consumers that a worker has not written to the database yet.

In memory, bounded, thread-safe. Counts contain the minute, system, flag and value, never the
context or the targeting key.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import batched
from typing import NamedTuple
from uuid import UUID

from governance.kernel import clock
from governance.operations.decisions.bucketing import GROUP
from governance.operations.decisions.rollout_flags import RolloutFlags

MINUTE = 60
REPEAT_SECONDS = 60.0  # Seconds until an active consumer is written again
QUIET_SECONDS = 600.0  # Seconds until a silent consumer is dropped from memory
MAX_COUNTS = 200_000
MAX_BULKS = 5_000  # Systems whose bulk answers are added up at once
MAX_NOTED = 1_000  # Bulk answers per system that may wait to be added up
MAX_BYTE = 255
MAX_CONSUMERS = 100_000  # Consumers of all tenants
MAX_CONSUMERS_PER_KEY = 200  # Further consumers count under the key's own name, as in the database.

type Counts = dict[tuple[str, int, str, str, str], int]  # Tenant slug, minute, system, flag, value


class Requester(NamedTuple):
    """The receiver of an answer: the key, and the name of the consumer."""

    key_id: UUID
    key_name: str
    name: str
    region: str
    system_id: UUID | None  # System of the key


@dataclass(slots=True)
class ConsumerState:
    """A consumer's newest revision, and the time of its first answer with that revision."""

    region: str
    system_id: UUID | None
    number: int
    at: float
    seen: float
    written: int = -1  # Revision in the database
    written_at: float = 0.0


@dataclass(slots=True)
class BulkCount:
    """Bulk answers with the same rollouts in one minute: their number and content."""

    rollouts: RolloutFlags
    asked: int = 0
    noted: list[bytes] = field(default_factory=list)  # Contents not added up yet
    held: list[int] = field(default_factory=list)  # Number with the candidate, by group and place

    def add_up(self) -> None:
        """Add up the noted answers, all groups at once, one byte each, with long integers.

        A byte counts up to 255, so at most that many answers are added before it is read.
        """
        if not self.noted:
            return
        noted, self.noted = self.noted, []
        groups = len(noted[0])
        ones = int.from_bytes(b"\1" * groups)
        self.held = self.held or [0] * (groups * GROUP)
        for some in batched(noted, MAX_BYTE):
            sums = [0] * GROUP
            for number in map(int.from_bytes, some):
                for place in range(GROUP):
                    sums[place] += number >> (GROUP - 1 - place) & ones
            for place, each in enumerate(sums):
                for group, count in enumerate(each.to_bytes(groups)):
                    self.held[group * GROUP + place] += count


@dataclass(slots=True)
class DecisionCounter:
    """The counts and consumers of one worker."""

    _counts: Counts = field(default_factory=dict)
    _bulks: dict[tuple[str, int, int], BulkCount] = field(default_factory=dict)
    _heard: dict[tuple[str, UUID, str], ConsumerState] = field(default_factory=dict)
    _fresh: set[tuple[str, UUID, str]] = field(default_factory=set)  # Keys of _heard to write
    _swept: float = 0.0
    _names: Counter[UUID] = field(default_factory=Counter)  # Number of consumers by key
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(
        self, tenant: str, system: str, flag: str, word: str, who: Requester, number: int
    ) -> None:
        """Count one answer to `who`."""
        now = clock.now().timestamp()
        count, consumer = (
            (tenant, int(now // MINUTE), system, flag, word),
            (tenant, who.key_id, who.name),
        )
        with self._lock:
            if count in self._counts or len(self._counts) < MAX_COUNTS:
                self._counts[count] = self._counts.get(count, 0) + 1
            heard = self._heard.get(consumer)
            if heard is None and self._names[who.key_id] >= MAX_CONSUMERS_PER_KEY:
                consumer = (tenant, who.key_id, who.key_name)
                heard = self._heard.get(consumer)
            if heard is None:
                if len(self._heard) < MAX_CONSUMERS:
                    self._heard[consumer] = ConsumerState(
                        who.region, who.system_id, number, now, now
                    )
                    self._names[who.key_id] += 1
                    self._fresh.add(consumer)
                return
            heard.seen = now
            if number > heard.number or now - heard.written_at > REPEAT_SECONDS:
                self._fresh.add(consumer)
            if number > heard.number:
                heard.number, heard.at, heard.region = number, now, who.region

    def note_rollouts(self, tenant: str, rollouts: RolloutFlags, chosen: bytes) -> None:
        """Count the rollouts of one bulk answer."""
        key = (tenant, int(clock.now().timestamp() // MINUTE), id(rollouts))
        with self._lock:
            bulk = self._bulks.get(key)
            if bulk is None:
                if len(self._bulks) >= MAX_BULKS:
                    return
                bulk = self._bulks[key] = BulkCount(rollouts)
            bulk.asked += 1
            bulk.noted.append(chosen)
            if len(bulk.noted) >= MAX_NOTED:
                bulk.add_up()

    def take_counts(self) -> Mapping[str, dict[tuple[datetime, str, str, str], int]]:
        """Return the counts by tenant, and reset them."""
        with self._lock:
            taken, self._counts = self._counts, {}
            bulks, self._bulks = self._bulks, {}
        for (tenant, minute, _), bulk in bulks.items():
            bulk.add_up()
            for system, flag, word, asked in bulk.rollouts.counts(bulk.asked, bulk.held):
                count = (tenant, minute, system, flag, word)
                taken[count] = taken.get(count, 0) + asked
        found: dict[str, dict[tuple[datetime, str, str, str], int]] = {}
        for (tenant, minute, system, flag, word), asked in taken.items():
            found.setdefault(tenant, {})[
                datetime.fromtimestamp(minute * MINUTE, UTC), system, flag, word
            ] = asked
        return found

    def give_back(self, tenant: str, counts: Mapping[tuple[datetime, str, str, str], int]) -> None:
        """Restore counts that could not be written."""
        with self._lock:
            for (at, system, flag, word), asked in counts.items():
                key = (tenant, int(at.timestamp() // MINUTE), system, flag, word)
                if key in self._counts or len(self._counts) < MAX_COUNTS:
                    self._counts[key] = self._counts.get(key, 0) + asked

    def news(self) -> list[tuple[str, UUID, str, ConsumerState]]:
        """Return consumers to write: with a newer revision, or active after REPEAT_SECONDS."""
        now = clock.now().timestamp()
        with self._lock:
            if now - self._swept > REPEAT_SECONDS:
                self._swept = now
                self._forget(
                    [
                        key
                        for key, h in self._heard.items()
                        if key not in self._fresh and now - h.seen > QUIET_SECONDS
                    ]
                )
            return [(*key, replace(self._heard[key])) for key in self._fresh]

    def forget(self, tenant: str) -> None:
        """Drop the consumers of a tenant, since revisions mean something else after a restore."""
        with self._lock:
            self._forget([key for key in self._heard if key[0] == tenant])

    def _forget(self, consumers: Iterable[tuple[str, UUID, str]]) -> None:
        for consumer in consumers:
            del self._heard[consumer]
            self._fresh.discard(consumer)
            self._names[consumer[1]] -= 1
            if not self._names[consumer[1]]:
                del self._names[consumer[1]]

    def mark_written(self, tenant: str, key_id: UUID, name: str, heard: ConsumerState) -> None:
        """Record that the database has this state."""
        with self._lock:
            if (known := self._heard.get((tenant, key_id, name))) is not None:
                known.written, known.written_at = (
                    max(known.written, heard.number),
                    max(known.written_at, heard.seen),
                )
                if known.written == known.number:
                    self._fresh.discard((tenant, key_id, name))
