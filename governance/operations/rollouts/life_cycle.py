"""States and steps of a rollout, and the time in its stage. Pure.

planned → running ⇄ paused or halted → finished or rolled back; planned → cancelled

The clock of a stage runs while the rollout is running, except in freezes. It never runs backward: a
system clock that was set back adds nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from governance.kernel.intervals import Span, union

STATES = {
    "planned": "Planned",
    "running": "Running",
    "paused": "Paused",
    "halted": "Halted",
    "finished": "Finished",
    "rolled_back": "Rolled back",
    "cancelled": "Cancelled",
}
OPEN = ("planned", "running", "paused", "halted")
UNDER_WAY = ("running", "paused", "halted")
BEFORE = -1  # Position before the first stage
FROM: Mapping[str, tuple[str, ...]] = {  # States in which each step is possible
    "start": ("planned",),
    "promote": ("running",),
    "pause": ("running",),
    "halt": ("running", "paused"),
    "resume": ("paused", "halted"),
    "roll_back": UNDER_WAY,
    "finish": ("running",),
    "cancel": ("planned",),
}
AUTOMATIC = ("pause", "halt", "roll_back")  # Steps that Meridian may take automatically


class NotPossible(ValueError):
    """The reason why a step can't be taken, as a sentence."""


@dataclass(frozen=True, slots=True)
class StageProgress:
    """The position of a rollout, and the clock of its stage.

    `counted` is the time in the stage before `since`, when its clock started. `since` is None while
    the clock is stopped.
    """

    state: str
    position: int
    counted: timedelta
    since: datetime | None

    def dwelt(self, now: datetime, freezes: Iterable[Span] = ()) -> timedelta:
        """Return the time in its stage, without freezes."""
        if self.since is None or now <= self.since:
            return self.counted
        whole = now - self.since
        frozen = union(
            Span(max(each.start, self.since), min(each.end, now))
            for each in freezes
            if each.end > self.since and each.start < now
        )
        return self.counted + whole - sum((each.end - each.start for each in frozen), timedelta())


PLANNED = StageProgress("planned", BEFORE, timedelta(), None)


def take(
    step: str, at: StageProgress, *, now: datetime, stages: int, freezes: Iterable[Span] = ()
) -> StageProgress:
    """Return the progress after a step of a rollout with `stages` stages. Raises NotPossible."""
    if at.state not in FROM[step]:
        raise NotPossible(_why_not(step, at.state))
    is_last = at.position == stages - 1
    if step == "promote" and is_last:
        raise NotPossible("The rollout is at its last stage. Finish it.")
    if step == "finish" and not is_last:
        raise NotPossible("The rollout hasn't reached its last stage, and no stage can be skipped.")
    if step in {"start", "promote"}:
        return StageProgress("running", at.position + 1, timedelta(), now)
    if step == "resume":
        return replace(at, state="running", since=now)
    after = {
        "pause": "paused",
        "halt": "halted",
        "roll_back": "rolled_back",
        "finish": "finished",
        "cancel": "cancelled",
    }[step]
    return StageProgress(after, at.position, at.dwelt(now, freezes), None)


def is_frozen(now: datetime, freezes: Iterable[Span]) -> bool:
    return any(each.start <= now < each.end for each in freezes)


def _why_not(step: str, state: str) -> str:
    if step == "roll_back" and state == "rolled_back":
        return "This rollout was already rolled back. Plan a new rollout to try the release again."
    return f"This rollout is {STATES[state].lower()}, so it can't be {PAST[step]}."


PAST = {
    "start": "started",
    "promote": "promoted",
    "pause": "paused",
    "halt": "halted",
    "resume": "resumed",
    "roll_back": "rolled back",
    "finish": "finished",
    "cancel": "cancelled",
}
