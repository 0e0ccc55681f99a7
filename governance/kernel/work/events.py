"""Domain events: a feature publishes what happened, and features above it act on it.

They do so in the same transaction.

    @dataclass(frozen=True, slots=True)
    class DrillEnded(Event): …

    publish(DrillEnded(…))                    each subscriber runs now, inside the publisher's
                                              transaction
    subscribe(DrillEnded, handler, order=50)  manifests call this at start; lower orders run first
    check_subscribed()                        after the last manifest: an event without a subscriber
                                              stops the start

A subscriber that raises rolls everything back, the publisher's work included, and the person sees
its message. What must not undo the work belongs in a job that the subscriber queues.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from governance.kernel.data import db


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, with the facts its subscribers need."""


type Handler[E: Event] = Callable[[E], object]


class NoSubscriber(Exception):
    """An event without a subscriber: its feature promises something that nothing does."""


_subscribers: dict[type[Event], list[tuple[int, Handler[Any]]]] = {}


def subscribe[E: Event](kind: type[E], handler: Handler[E], *, order: int = 50) -> None:
    """Run `handler` for each event of this kind from now on. Idempotent."""
    known = _subscribers.setdefault(kind, [])
    if all(handler != other for _order, other in known):
        known.append((order, handler))
        # The sort is stable: equal orders run in the order of subscription.
        known.sort(key=lambda each: each[0])


def subscribers(kind: type[Event]) -> tuple[Handler[Any], ...]:
    """Return the handlers of this kind of event in the order in which they run."""
    return tuple(handler for _order, handler in _subscribers.get(kind, ()))


def check_subscribed(package: str = "governance") -> None:
    """Raise NoSubscriber when an event that is declared in this package has no subscriber."""
    alone = sorted(kind.__name__ for kind in _declared(package) if not subscribers(kind))
    if alone:
        raise NoSubscriber(
            f"No feature subscribes to {', '.join(alone)}. Subscribe in a manifest, or remove the"
            " event."
        )


def _declared(package: str) -> list[type[Event]]:
    """Return the event classes that modules of this package declare.

    A dataclass with slots replaces the written class, which stays a subclass until it is collected:
    the class that its module shows is the declared one.
    """
    return [
        kind
        for kind in Event.__subclasses__()
        if f"{kind.__module__}.".startswith(f"{package}.")
        and vars(sys.modules[kind.__module__]).get(kind.__name__) is kind
    ]


def publish(event: Event) -> None:
    """Run every subscriber of the event, in order, within the open transaction.

    Raises LookupError outside a transaction, NoSubscriber when no feature subscribes, and any error
    of a subscriber.
    """
    db.session()
    handlers = subscribers(type(event))
    if not handlers:
        raise NoSubscriber(f"No feature subscribes to {type(event).__name__}.")
    for handler in handlers:
        handler(event)
