"""What Type II testing is read beside and this layer cannot know: the engagement, and the work that is under way.

`tell(engaged, running)` is called once, where engagements and reports are known; until then there is nothing beside it.
Both answer for the acting person: an auditor hears of his own engagement alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.kernel.jobs import WorkItem


@dataclass(frozen=True, slots=True)
class Engaged:
    """The engagement that is open, or the next one. `framework` is a key; None: every control."""

    id: UUID
    firm: str
    name: str  # "SOC 2 Type II"
    framework: str | None
    period_from: date
    period_to: date
    fieldwork_from: date
    fieldwork_to: date
    is_open: bool


@dataclass(frozen=True, slots=True)
class Running:
    """A package or a report that is being made. `endpoint` and `values` are its address."""

    title: str
    icon: str
    work: WorkItem
    endpoint: str
    values: dict[str, Any]


type Engagement = Callable[[], Engaged | None]
type Work = Callable[[], Sequence[Running]]

_told: list[tuple[Engagement, Work]] = []


def tell(engaged: Engagement, running: Work) -> None:
    """From now on these say it."""
    _told[:] = [(engaged, running)]


def engaged() -> Engaged | None:
    return _told[0][0]() if _told else None


def running() -> Sequence[Running]:
    """The oldest first."""
    return _told[0][1]() if _told else ()
