"""The states of an incident, their order and the allowed moves.

An incident moves one state forward at a time, so that every state has a time. It can return from
any open state, with a reason. A closed incident stays closed.
"""

from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Protocol

STATES = ("investigating", "identified", "monitoring", "resolved", "closed")
NAMES = {each: each.capitalize() for each in STATES}
MEANINGS = {
    "investigating": "The team looks for the cause.",
    "identified": "The cause is known.",
    "monitoring": "The harm has stopped, and the team watches the fix.",
    "resolved": "It is over.",
    "closed": "The review is done.",
}
STATE_KINDS = {
    "investigating": "bad",
    "identified": "bad",
    "monitoring": "warn",
    "resolved": "ok",
    "closed": "none",
}
NEXT: Mapping[str, str] = dict(pairwise(STATES))
OPEN = STATES[:3]  # Not resolved.
LIVE = STATES[:4]  # Not closed.


class Timed(Protocol):
    """The fields of an incident that its states need."""

    declared_at: datetime
    identified_at: datetime | None
    monitoring_at: datetime | None
    resolved_at: datetime | None
    closed_at: datetime | None


def entered(incident: Timed, state: str) -> datetime | None:
    """Return when the incident entered the state, or None if it hasn't."""
    if state == "investigating":
        return incident.declared_at
    at: datetime | None = getattr(incident, f"{state}_at")
    return at


def may_follow(now: str, then: str) -> bool:
    """Check whether an incident in state `now` may move forward to `then`."""
    return NEXT.get(now) == then or may_return(now, then)


def may_return(now: str, then: str) -> bool:
    """Check whether `then` is an earlier state that an incident in `now` may return to."""
    return now != "closed" and then in OPEN and STATES.index(then) < STATES.index(now)


def later_than(state: str) -> tuple[str, ...]:
    """Return the states after this one."""
    return STATES[STATES.index(state) + 1 :]
