"""The states and steps of a red-team finding, and the phases of a red team. Pure.

open → confirmed → fixed → closed, where a fixed one may be confirmed again; open → rejected
"""

from collections.abc import Mapping
from datetime import datetime

FINDING_STATES = {
    "open": "Open",
    "confirmed": "Confirmed",
    "fixed": "Fixed, to be closed",
    "closed": "Closed",
    "rejected": "Rejected",
}
UNDECIDED = ("open", "confirmed", "fixed")  # Findings in these states need somebody to act.
FROM: Mapping[str, tuple[str, ...]] = {  # The states in which each step is possible.
    "confirm": ("open",),
    "reject": ("open",),
    "fix": ("confirmed",),
    "reopen": ("fixed",),
    "close": ("fixed",),
}
TO: Mapping[str, str] = {
    "confirm": "confirmed",
    "reject": "rejected",
    "fix": "fixed",
    "reopen": "confirmed",
    "close": "closed",
}
KINDS = {  # For the template macro `c.state`.
    "open": "bad",
    "confirmed": "bad",
    "fixed": "due",
    "closed": "ok",
    "rejected": "none",
}
PHASES = {
    "planned": "Planned",
    "open": "Open",
    "over": "Over, not finished",
    "finished": "Finished",
    "cancelled": "Cancelled",
}
PHASE_KINDS = {
    "planned": "open",
    "open": "ok",
    "over": "due",
    "finished": "ok",
    "cancelled": "none",
}


class NotPossible(ValueError):
    """The reason why a step isn't possible, as a sentence."""


def state_after(state: str, step: str) -> str:
    """Return the state of a finding after the step. Raise NotPossible."""
    if state not in FROM[step]:
        needs = " or ".join(FINDING_STATES[each].lower() for each in FROM[step])
        raise NotPossible(
            f"The finding is {FINDING_STATES[state].lower()}. This step needs one that is {needs}."
        )
    return TO[step]


def possible_steps(state: str) -> list[str]:
    return [step for step, states in FROM.items() if state in states]


def phase_of(
    opens_at: datetime,
    closes_at: datetime,
    finished_at: datetime | None,
    cancelled_at: datetime | None,
    now: datetime,
) -> str:
    """Return one of PHASES. Attempts are recorded only in the phase "open"."""
    if cancelled_at is not None:
        return "cancelled"
    if finished_at is not None:
        return "finished"
    if now < opens_at:
        return "planned"
    return "open" if now < closes_at else "over"
