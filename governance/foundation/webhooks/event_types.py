"""The types of events that an endpoint can subscribe to.

    register("alert.fired", "An alert fires")      once, where the feature's module is imported

A feature registers its own types. Those of the reliability features are known from the start, so
that their names are fixed in one place: they are part of the API.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

GRAMMAR = re.compile(r"[a-z_]+(\.[a-z_]+)+")
TEST = "webhook.test"


@dataclass(frozen=True, slots=True)
class EventType:
    """A type of event. `label` completes "when …"; `example` is the data of a sample message."""

    name: str
    label: str
    example: Mapping[str, Any] = field(default_factory=dict)


_known: dict[str, EventType] = {}


def register(name: str, label: str, example: Mapping[str, Any] | None = None) -> EventType:
    """Make a type known; registering it again replaces its label and example.

    Raises ValueError for a name that isn't of the form noun.verb-past.
    """
    if not GRAMMAR.fullmatch(name):
        raise ValueError(f"{name} is not of the form noun.verb-past")
    _known[name] = EventType(name, label, dict(example or {}))
    return _known[name]


def known() -> list[EventType]:
    """Return every type that endpoints can subscribe to, by name."""
    return [_known[name] for name in sorted(_known)]


def is_known(name: str) -> bool:
    return name in _known


def named(name: str) -> EventType:
    """Return the type; one that no feature registers any more keeps its name as label."""
    return _known.get(name) or EventType(name, name)


for _name, _label in (
    ("alert.fired", "an alert fires"),
    ("alert.acknowledged", "a person acknowledges an alert"),
    ("alert.resolved", "an alert resolves"),
    ("incident.declared", "an incident is declared"),
    ("incident.updated", "an approved update of an incident is sent"),
    ("incident.resolved", "an incident is resolved"),
    ("statement.closed", "a month is closed and its statement is ready"),
    ("statement.revised", "a closed statement gets a revision"),
):
    register(_name, _label)
