"""What a consumer is heard to obey. Pure.

Heard                     a consumer asked and was answered from a version
steps(heard)              by consumer, what was heard of it, oldest version first
beyond(heard, known, …)   those that a key has named beyond what it may tell apart in a day
acknowledged(…)           when, of what was heard, a stop was first obeyed
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Heard:
    """A process of an AI product, by its key and its own name: it had an answer of that version at
    that instant.
    """

    key_id: UUID
    name: str
    region: str
    system_id: UUID | None  # of its key; None: it may ask for every system
    version: int
    at: datetime
    seen_at: datetime


type Whose = tuple[UUID, str]


@dataclass(frozen=True, slots=True)
class Known:
    """What the database has of a consumer."""

    version: int
    seen_at: datetime


def beyond(
    heard: Iterable[Heard], known: Mapping[Whose, Known], most: int, since: datetime
) -> frozenset[Whose]:
    """The new ones for which there is no place any more, beside those of their key that were seen
    since the instant.
    """
    taken = Counter(key_id for (key_id, _), there in known.items() if there.seen_at > since)
    found: set[Whose] = set()
    for whose in dict.fromkeys((h.key_id, h.name) for h in heard):
        if whose not in known:
            taken[whose[0]] += 1
            if taken[whose[0]] > most:
                found.add(whose)
    return frozenset(found)


def steps(heard: Iterable[Heard]) -> Mapping[Whose, Sequence[Heard]]:
    """By consumer, in the order of the versions and of the instants at which they were first
    answered.
    """
    found: dict[Whose, list[Heard]] = {}
    for each in sorted(heard, key=lambda h: (h.version, h.at)):
        found.setdefault((each.key_id, each.name), []).append(each)
    return found


def acknowledged(
    heard: Sequence[Heard], known: int, version: int, until: datetime | None
) -> datetime | None:
    """When the consumer first had an answer that holds the stop of that version; None when it was
    known to already, has none yet, or had it only after the stop was over (`until`). `heard` is one
    consumer's, oldest version first.
    """
    if known >= version:
        return None
    at = min((h.at for h in heard if h.version >= version), default=None)
    return at if at is not None and (until is None or at <= until) else None
