"""The version that a consumer obeys, derived from its requests. Pure.

Heard                     a consumer got an answer of some version
steps(heard)              the answers by consumer, oldest version first
beyond(heard, known, …)   consumers beyond the daily limit of their key
acknowledged(…)           the time when a consumer first obeyed a stop
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Heard:
    """A process of an AI product, by its key and name, that got an answer of this version."""

    key_id: UUID
    name: str
    region: str
    system_id: UUID | None  # System of its key; None: any system
    version: int
    at: datetime
    seen_at: datetime


type ConsumerKey = tuple[UUID, str]  # Key id, name of the consumer


@dataclass(frozen=True, slots=True)
class KnownConsumer:
    """A consumer in the database."""

    version: int
    seen_at: datetime


def beyond(
    heard: Iterable[Heard],
    known: Mapping[ConsumerKey, KnownConsumer],
    max_consumers: int,
    since: datetime,
) -> frozenset[ConsumerKey]:
    """Return the new consumers beyond the limit of their key, counting those seen since."""
    taken = Counter(key_id for (key_id, _), each in known.items() if each.seen_at > since)
    found: set[ConsumerKey] = set()
    for whose in dict.fromkeys((h.key_id, h.name) for h in heard):
        if whose not in known:
            taken[whose[0]] += 1
            if taken[whose[0]] > max_consumers:
                found.add(whose)
    return frozenset(found)


def steps(heard: Iterable[Heard]) -> Mapping[ConsumerKey, Sequence[Heard]]:
    """Return the answers by consumer, in order of their versions."""
    found: dict[ConsumerKey, list[Heard]] = {}
    for each in sorted(heard, key=lambda h: (h.version, h.at)):
        found.setdefault((each.key_id, each.name), []).append(each)
    return found


def acknowledged(
    heard: Sequence[Heard], known: int, version: int, until: datetime | None
) -> datetime | None:
    """Return when the consumer first obeyed the stop of this version, or None.

    None if it is already recorded, if it hasn't obeyed yet, or if it obeyed only after the end of
    the stop (`until`). `heard` has the answers of one consumer, oldest version first.
    """
    if known >= version:
        return None
    at = min((h.at for h in heard if h.version >= version), default=None)
    return at if at is not None and (until is None or at <= until) else None
