"""Store usage events of the acting tenant.

push    stores the valid events of a machine's batch and returns a reason for each other event
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from governance.economics.usage import usage_events
from governance.economics.usage.event_stores import store as event_store
from governance.economics.usage.usage_events import (
    ReadEvents,
    RejectedEvent,
    TooManyEvents,
    UsageEvent,
)
from governance.foundation.api_keys import batch_actions
from governance.foundation.api_keys import queries as api_keys
from governance.foundation.api_keys.batch_actions import BatchResult
from governance.foundation.tenants import queries as tenants
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.web.batch_requests import BatchSize, UnreadableBatch
from governance.operations.systems.models import AISystem

MOST = BatchSize(rows=usage_events.MAX_EVENTS, size=8 * 1024 * 1024, noun="events")
JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/jsonl")
LATE = timedelta(days=400)  # the oldest event that is accepted
AHEAD = timedelta(minutes=5)  # tolerated clock skew


class _Batch(msgspec.Struct, forbid_unknown_fields=True):
    events: msgspec.Raw


def push(body: bytes, media_type: str, *, idempotency_key: str | None) -> BatchResult:
    """Store the events of a batch whose ids are new, and return a reason for each rejected event.

    The same Idempotency-Key with the same body returns the same answer for 7 days. Raises
    UnreadableBatch, Invalid, TooLarge, and what batch_actions.once raises.
    """
    return batch_actions.once(
        "usage", body, idempotency_key, lambda: store(_read(body, media_type))
    )


def store(read: ReadEvents) -> dict[str, Any]:
    """Store the valid events. Return the counts and each rejected event."""
    systems = _systems(read.events)
    rejected, good, rows = list(read.rejected), list[UsageEvent](), list[int]()
    first: dict[str, UsageEvent] = {}
    duplicates = 0
    earliest, latest = clock.now() - LATE, clock.now() + AHEAD
    for row, event in zip(read.rows, read.events, strict=True):
        if event.system not in systems:
            rejected.append(RejectedEvent(row, "system", NO_SYSTEM))
        elif not earliest <= event.at <= latest:
            rejected.append(RejectedEvent(row, "at", FUTURE if event.at > latest else TOO_OLD))
        elif (earlier := first.setdefault(event.id, event)) is event:
            good.append(event)
            rows.append(row)
        elif earlier == event:
            duplicates += 1
        else:
            rejected.append(RejectedEvent(row, "id", ID_TAKEN))
    stored = event_store().write(good, systems, tenants.operator_time_zone())
    rejected += [RejectedEvent(rows[n], "id", ID_TAKEN) for n in stored.different]
    return {
        "accepted": stored.accepted,
        "duplicate": duplicates + len(stored.same),
        "rejected": len(rejected),
        "errors": [
            {"row": each.row, "field": each.field, "reason": each.reason}
            for each in sorted(rejected, key=lambda each: each.row)
        ],
    }


NO_SYSTEM = "This AI system doesn't exist, or the key has no access to it."
FUTURE = "The event is in the future."
TOO_OLD = f"The event is older than {LATE.days} days."
ID_TAKEN = "An event with this id and different content was already sent. Use a new id."


def _read(body: bytes, media_type: str) -> ReadEvents:
    try:
        if media_type == JSON:
            read = _read_json(body)
        elif media_type in NDJSON:
            read = usage_events.read_lines(body)
        else:
            raise Invalid(
                "Send application/json, or application/x-ndjson with an event on each line."
            )
    except TooManyEvents:
        raise MOST.too_large() from None
    if not read.events and not read.rejected:
        raise Invalid("events: send at least one event.", field="events")
    return read


def _read_json(body: bytes) -> ReadEvents:
    try:
        sent = msgspec.json.decode(body, type=_Batch)
        return usage_events.read(bytes(sent.events))
    except msgspec.ValidationError:
        raise Invalid('Send one JSON object with "events", a list.', field="events") from None
    except (msgspec.DecodeError, RecursionError):
        raise UnreadableBatch("The body isn't valid JSON. Nothing was saved.") from None


def _systems(events: Sequence[UsageEvent]) -> dict[str, UUID]:
    """Return the ids of the systems that events name and the key can access, by slug."""
    slugs = {each.system for each in events}
    only = api_keys.acting_key_system()
    query = select(AISystem.key, AISystem.id).where(AISystem.key.in_(slugs))
    if only is not None:
        query = query.where(AISystem.id == only)
    return {row.key: row.id for row in session().execute(query)}
