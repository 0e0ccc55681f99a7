"""Domain events: a feature states what happened, and features above it act on it in the same transaction.

    @dataclass(frozen=True, slots=True)
    class DrillEnded(Event): …

    publish(DrillEnded(…))                    each subscriber runs now, inside the publisher's transaction
    subscribe(DrillEnded, handler, order=50)  manifests call this at start; lower orders run first

A subscriber that raises rolls everything back, the publisher's work included, and the person sees its message. What must
not undo the work belongs in a job that the subscriber queues.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from governance.kernel import db


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with the facts its subscribers need."""


type Handler[E: Event] = Callable[[E], object]


class NobodyListens(Exception):
    """An event without a subscriber: its feature promises something that nothing does."""


_subscribers: dict[type[Event], list[tuple[int, Handler[Any]]]] = {}


def subscribe[E: Event](kind: type[E], handler: Handler[E], *, order: int = 50) -> None:
    """Run `handler` for each event of this kind from now on. Subscribing twice is subscribing once."""
    known = _subscribers.setdefault(kind, [])
    if all(handler != other for _order, other in known):
        known.append((order, handler))
        known.sort(key=lambda each: each[0])  # stable: equal orders run as they were subscribed


def subscribers(kind: type[Event]) -> tuple[Handler[Any], ...]:
    return tuple(handler for _order, handler in _subscribers.get(kind, ()))


def publish(event: Event) -> None:
    """Run every subscriber of the event, in order, within the open transaction.

    Raises NobodyListens when no feature subscribes, and whatever a subscriber raises.
    """
    db.session()  # outside a transaction there is nothing to be part of: this raises
    handlers = subscribers(type(event))
    if not handlers:
        raise NobodyListens(f"No feature subscribes to {type(event).__name__}.")
    for handler in handlers:
        handler(event)
