"""The readiness of a switch: proof that it would work now. Pure.

readiness(…) -> Readiness     armed, unproven or dead, with reasons
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from governance.kernel.formatting import long_day, plural
from governance.operations.switches.stop_propagation import Listener

PROVEN_FOR = timedelta(days=90)
MAX_NAMED = 3  # Consumers that a reason names

type State = Literal["armed", "unproven", "dead"]


@dataclass(frozen=True, slots=True)
class LastDrill:
    """The last finished drill of a scope."""

    passed: bool
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Readiness:
    state: State
    reasons: tuple[str, ...]


def readiness(
    last: LastDrill | None,
    listeners: Iterable[Listener],
    *,
    system_id: UUID | None,
    newest: int,
    now: datetime,
) -> Readiness:
    """Return the readiness of a scope of this system.

    `newest` is the version of its last stop or drill, or 0.

    Armed: its last drill passed within 90 days, and every consumer of the last 24 hours obeys
    `newest`. Dead: its last drill failed, or no known consumer connected for 24 hours. Unproven:
    everything else.
    """
    known = [one for one in listeners if one.is_under(system_id)]
    heard = [one for one in known if one.is_heard(now)]
    if dead := _dead(last, known=len(known), heard=len(heard)):
        return Readiness("dead", dead)
    doubts = _doubts(last, heard, newest, now)
    return (
        Readiness("unproven", doubts)
        if doubts
        else Readiness("armed", (f"The drill of {_day(last)} passed",))
    )


def _dead(last: LastDrill | None, *, known: int, heard: int) -> tuple[str, ...]:
    failed = (f"The drill of {_day(last)} failed",) if last and not last.passed else ()
    silent = (
        (f"{plural(known, 'consumer')} known, but none connected for 24 hours",)
        if known and not heard
        else ()
    )
    return failed + silent


def _doubts(
    last: LastDrill | None, heard: list[Listener], newest: int, now: datetime
) -> tuple[str, ...]:
    behind = sorted((one for one in heard if one.version < newest), key=lambda one: one.seen_at)
    doubts = []
    if last is None:
        doubts.append("No drill yet")
    elif now - last.ended_at > PROVEN_FOR:
        doubts.append(f"The drill of {_day(last)} is older than {PROVEN_FOR.days} days")
    if not heard:
        doubts.append("No consumers yet")
    if behind:
        names = ", ".join(one.name for one in behind[:MAX_NAMED]) + (
            " and more" if len(behind) > MAX_NAMED else ""
        )
        doubts.append(f"{_consumers(len(behind))} not acknowledged the latest stop: {names}")
    return tuple(doubts)


def _consumers(count: int) -> str:
    return "1 consumer has" if count == 1 else f"{count} consumers have"


def _day(last: LastDrill | None) -> str:
    return long_day(last.ended_at.date()) if last else ""
