"""Read usage events that a machine sends, and return the reason for each rejected row.

    {"events": [{"id": "req-81f2", "at": "2026-11-25T09:14:03.250Z", "system": "claims-triage",
                 "model": "claude-sonnet-4-5", "outcome": "success",
                 "tokens": {"input": 1546, "cache_read": 9000, "output": 1037}}]}

Token buckets are disjoint: `input` leaves out what was read from or written to a cache, `output`
leaves out reasoning. As NDJSON each line is an event. Pure: no database, no clock.

A batch of good events is decoded at once and its texts are checked column by column; only a batch
with a bad event is read row by row.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta, Struct

MAX_EVENTS = 10_000  # per batch
MAX_TOKENS = 1_000_000_000  # per bucket of an event
MAX_NAME_LENGTH = 100

type Outcome = Literal["success", "refused", "failed", "retried"]

OUTCOMES: tuple[str, ...] = get_args(Outcome.__value__)

# The allowed texts. None has a quote or a backslash (storing.py). An id has no @, so that it
# can't be an email address.
SLUG = r"[a-z][a-z0-9-]{0,62}[a-z0-9]"
ID = r"[A-Za-z0-9][A-Za-z0-9._:/+=~-]{0,99}"
WORDS = r"[A-Za-z0-9](?:[A-Za-z0-9 ._:/@+()-]{0,98}[A-Za-z0-9)])?"
PATTERNS = {
    "id": ID,
    "system": SLUG,
    "model": WORDS,
    "feature": SLUG,
    "provider": WORDS,
    "request": ID,
    "task": ID,
    "user": ID,
}

type Tokens = Annotated[int, Meta(ge=0, le=MAX_TOKENS)]


class TokenBuckets(Struct, forbid_unknown_fields=True, frozen=True):
    """Tokens of one request; no token is in two buckets."""

    input: Tokens = 0
    cache_read: Tokens = 0
    cache_write: Tokens = 0
    output: Tokens = 0
    reasoning: Tokens = 0


NO_TOKENS = TokenBuckets()
BUCKETS = tuple(each.name for each in msgspec.structs.fields(TokenBuckets))


class UsageEvent(Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One request to a model.

    id        the sender's id of the event; an event that is sent again counts once
    system    slug of the AI system; `feature` is the slug of its feature
    outcome   "retried" for an attempt that was followed by another one
    request, task   what the attempts belong to
    user      a pseudonym
    """

    id: str
    at: Annotated[datetime, Meta(tz=True)]
    system: str
    model: str
    outcome: Outcome
    feature: str | None = None
    provider: str | None = None
    request: str | None = None
    task: str | None = None
    user: str | None = None
    tokens: TokenBuckets = NO_TOKENS


@dataclass(frozen=True, slots=True)
class RejectedEvent:
    """The reason why an event can't be stored; `row` counts from 1."""

    row: int
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReadEvents:
    """The valid events of a batch with their row numbers, and the rejected ones."""

    events: Sequence[UsageEvent]
    rows: Sequence[int]
    rejected: Sequence[RejectedEvent]


FIELDS = tuple(each.name for each in msgspec.structs.fields(UsageEvent))
COMMAS = len(FIELDS) + len(BUCKETS)  # per event, at most: more commas mean too many events
REQUIRED = ("id", "at", "system", "model", "outcome")
_EVENT = msgspec.json.Decoder(UsageEvent)
_EVENTS = msgspec.json.Decoder(list[UsageEvent])
_RAW_EVENTS = msgspec.json.Decoder(list[msgspec.Raw])


class TooManyEvents(Exception):
    """There are more than MAX_EVENTS events, so none of them is read."""


def read(events: bytes) -> ReadEvents:
    """Read a JSON list of events.

    Raises msgspec.DecodeError unless it is a list, and TooManyEvents.
    """
    if events.count(b",") > MAX_EVENTS * COMMAS:
        raise TooManyEvents
    try:
        good = _EVENTS.decode(events)
    except msgspec.ValidationError:
        return read_rows(_RAW_EVENTS.decode(events))
    if not all(_has_good_texts(name, good) for name in PATTERNS):
        return read_rows(_RAW_EVENTS.decode(events))
    if len(good) > MAX_EVENTS:
        raise TooManyEvents
    return ReadEvents(good, range(1, len(good) + 1), ())


def read_lines(body: bytes) -> ReadEvents:
    """Read events from lines, one event per line. Raises TooManyEvents."""
    if body.count(b"\n") > 2 * MAX_EVENTS:
        raise TooManyEvents
    return read_rows([line for line in body.splitlines() if line.strip()])


def read_rows(rows: Sequence[bytes | msgspec.Raw]) -> ReadEvents:
    """Read events one by one. A row that isn't a valid JSON object of an event is rejected."""
    if len(rows) > MAX_EVENTS:
        raise TooManyEvents
    events, numbers, rejected = [], [], []
    for number, row in enumerate(rows, 1):
        event = _event(row)
        if event is None:
            rejected.append(RejectedEvent(number, *why_rejected(row)))
        else:
            events.append(event)
            numbers.append(number)
    return ReadEvents(events, numbers, rejected)


def _event(row: bytes | msgspec.Raw) -> UsageEvent | None:
    try:
        event = _EVENT.decode(row)
    except (msgspec.DecodeError, RecursionError):
        return None
    return event if all(_has_good_texts(name, [event]) for name in PATTERNS) else None


def _has_good_texts(name: str, events: Sequence[UsageEvent]) -> bool:
    """Return whether a field is well formed in every event. Distinct values are checked once."""
    values = set(map(attrgetter(name), events))
    values.discard(None)
    lines = "".join(f"{value}\n" for value in values)
    return lines.count("\n") == len(values) and _ALL[name].fullmatch(lines) is not None


_ALL = {name: re.compile(rf"(?:{pattern}\n)*+") for name, pattern in PATTERNS.items()}


# ---- what is wrong with a row


def why_rejected(row: bytes | msgspec.Raw) -> tuple[str, str]:
    """Return the field and the reason for a row that isn't a valid event."""
    try:
        found = msgspec.json.decode(row)
    except (msgspec.DecodeError, RecursionError):
        return "row", "The row isn't valid JSON."
    if not isinstance(found, dict):
        return "row", f"An event is a JSON object with {', '.join(REQUIRED)} and tokens."
    if unknown := found.keys() - set(FIELDS):
        name = _shown(min(unknown))
        return name, f"{name} is not a field of an event."
    for name in REQUIRED:
        if name not in found:
            return name, f"Send {name}."
    for name, value in found.items():
        if (why := _wrong(name, value)) is not None:
            return why
    return "row", "The event can't be read."


def _wrong(name: str, value: Any) -> tuple[str, str] | None:
    if name == "tokens":
        return _wrong_tokens(value)
    if value is None and name not in REQUIRED:
        return None
    if not isinstance(value, str):
        return name, f"Send {name} as text."
    if name == "at":
        return _wrong_instant(value)
    if name == "outcome":
        return None if value in OUTCOMES else (name, f"outcome is one of {', '.join(OUTCOMES)}.")
    return None if re.fullmatch(PATTERNS[name], value) else (name, SENTENCES[name])


_ID = (
    f"has up to {MAX_NAME_LENGTH} letters, digits and . _ : / + = ~ - and begins with a letter or"
    " digit."
)
_SLUG = "is a slug, such as claims-triage."
_WORDS = f"has up to {MAX_NAME_LENGTH} letters, digits, spaces and . _ : / @ + ( ) -"
SENTENCES = {
    "id": f"id {_ID}",
    "request": f"request {_ID}",
    "task": f"task {_ID}",
    "user": f"user is a pseudonym, never an email address. It {_ID}",
    "system": f"system {_SLUG}",
    "feature": f"feature {_SLUG}",
    "model": f"model {_WORDS}",
    "provider": f"provider {_WORDS}",
}


def _wrong_instant(text: str) -> tuple[str, str] | None:
    try:
        msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return "at", "Send an instant such as 2026-11-25T09:14:03Z."
    try:
        msgspec.convert(text, Annotated[datetime, Meta(tz=True)])
    except msgspec.ValidationError:
        return "at", "The instant has no time zone. Add Z for UTC."
    return None


def _wrong_tokens(tokens: Any) -> tuple[str, str] | None:
    if not isinstance(tokens, dict):
        return "tokens", 'Send an object such as {"input": 1546, "output": 1037}.'
    if unknown := tokens.keys() - set(BUCKETS):
        name = _shown(min(unknown))
        return f"tokens.{name}", f"{name} is no bucket. The buckets are {', '.join(BUCKETS)}."
    for name, value in tokens.items():
        if type(value) is not int:
            return f"tokens.{name}", f"{name} must be a whole number."
        if value < 0:
            return f"tokens.{name}", f"{name} is negative."
        if value > MAX_TOKENS:
            return f"tokens.{name}", f"{name} is more than {MAX_TOKENS:,}."
    return None


def _shown(name: str) -> str:
    """Return a name that is safe to repeat in an answer: short and printable."""
    return "".join(c if c.isprintable() else "?" for c in name[:40])
