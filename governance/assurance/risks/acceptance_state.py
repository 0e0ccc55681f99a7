"""The state of a risk's acceptance today, with the reason. Pure.

    acceptance_state(…)   not_needed, none, requested, accepted, expiring, stale or expired

A risk needs an acceptance while its residual score is above the appetite, or if its treatment is to
accept it. An acceptance covers one residual score: any change of the score makes it stale.
"""

from dataclasses import dataclass
from datetime import date
from typing import Literal

from governance.kernel import formatting

type AcceptanceName = Literal[
    "stale", "expired", "expiring", "none", "requested", "accepted", "not_needed"
]
NAMES: dict[AcceptanceName, str] = {
    "stale": "Stale",
    "expired": "Expired",
    "expiring": "Expires soon",
    "none": "None",
    "requested": "Requested",
    "accepted": "Accepted",
    "not_needed": "Not needed",
}
PILLS: dict[AcceptanceName, str] = {
    "stale": "bad",
    "expired": "bad",
    "expiring": "due",
    "none": "none",
    "requested": "info",
    "accepted": "ok",
    "not_needed": "none",
}
RENEW: frozenset[AcceptanceName] = frozenset({"stale", "expired", "expiring"})
SOON_DAYS = 14


@dataclass(frozen=True, slots=True)
class GivenAcceptance:
    """The last acceptance that was given. `scale_steps` are the steps of its scale."""

    likelihood: int
    impact: int
    scale_steps: tuple[int, int]
    expires_on: date
    lapsed: bool  # A finding made it stale, regardless of the current score.

    @property
    def score(self) -> int:
        return self.likelihood * self.impact


@dataclass(frozen=True, slots=True)
class AcceptanceState:
    """The state of an acceptance. `word` is the label of its pill."""

    name: AcceptanceName
    word: str

    @property
    def pill(self) -> str:
        return PILLS[self.name]


def acceptance_state(  # noqa: PLR0911 - one for each state
    *,
    is_needed: bool,
    given: GivenAcceptance | None,
    is_requested: bool,
    residual: tuple[int, int],
    scale_steps: tuple[int, int],
    due_on: date | None,
    today: date,
) -> AcceptanceState:
    """Return the state today. `due_on` is the due date of the treatment plan."""
    is_stale = given is not None and _is_stale(given, residual, scale_steps)
    if given is not None and not is_stale:
        days = (given.expires_on - today).days
        if days > SOON_DAYS or (days >= 0 and not is_needed):
            return AcceptanceState("accepted", f"Until {formatting.day(given.expires_on)}")
        if days >= 0 and not is_requested:
            return AcceptanceState("expiring", f"Expires {formatting.weekday(given.expires_on)}")
    if is_requested:
        return AcceptanceState("requested", "Requested")
    if not is_needed:
        return AcceptanceState("not_needed", "not needed")
    if given is not None and is_stale:
        return AcceptanceState("stale", _why_stale(given, residual, scale_steps))
    if given is not None:
        return AcceptanceState("expired", f"Expired {formatting.day(given.expires_on)}")
    plan = f"; plan due {formatting.day_of_year(due_on)}" if due_on else ""
    return AcceptanceState("none", f"None{plan}")


def _why_stale(
    given: GivenAcceptance, residual: tuple[int, int], scale_steps: tuple[int, int]
) -> str:
    if given.scale_steps != scale_steps:
        return "Stale: given on another scale"
    if given.score == residual[0] * residual[1]:
        return "Stale: the score moved since"
    return f"Stale: given at {given.score}"


def _is_stale(
    given: GivenAcceptance, residual: tuple[int, int], scale_steps: tuple[int, int]
) -> bool:
    return (
        given.lapsed
        or (given.likelihood, given.impact) != residual
        or given.scale_steps != scale_steps
    )
