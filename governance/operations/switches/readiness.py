"""Whether a switch would work if it were needed now. Pure.

readiness(…) -> Readiness     armed, unproven or dead, and why
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from governance.operations.switches.stop_propagation import Listener

PROVEN_FOR = timedelta(days=90)
NAMED = 3  # consumers that a reason names

type State = Literal["armed", "unproven", "dead"]


@dataclass(frozen=True, slots=True)
class LastDrill:
    """The newest drill over a scope that is over."""

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
    """Of a scope of that system.

    `newest` is the version of its last stop or drill; 0 when there was none.

    Armed: its last drill passed within 90 days, and every consumer heard in the last 24 hours obeys
    `newest`. Dead: its last drill failed, or consumers are known and none was heard for 24 hours.
    Unproven: everything else.
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
        (
            (
                f"{'One consumer is' if known == 1 else f'{known} consumers are'} known, none was"
                " heard for 24 hours"
            ),
        )
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
        doubts.append("No consumer is known")
    if behind:
        names = ", ".join(one.name for one in behind[:NAMED]) + (
            " and more" if len(behind) > NAMED else ""
        )
        doubts.append(f"{_consumers(len(behind))} not acknowledged the newest stop: {names}")
    return tuple(doubts)


def _consumers(count: int) -> str:
    return "One consumer has" if count == 1 else f"{count} consumers have"


def _day(last: LastDrill | None) -> str:
    return f"{last.ended_at.day} {last.ended_at:%B %Y}" if last else ""
