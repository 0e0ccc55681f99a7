"""What the pages of Type II testing show and this feature can't know: the current engagement, and
the work in progress.

Both ports answer for the acting person: an auditor sees their own engagement alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.kernel.jobs import WorkItem
from governance.kernel.ports import Port


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
    """A package or a report that is being generated. `endpoint` and `values` are its address."""

    title: str
    icon: str
    work: WorkItem
    endpoint: str
    values: dict[str, Any]


def _no_engagement() -> Engaged | None:
    return None


def _no_work() -> Sequence[Running]:
    return ()


current_engagement: Port[Callable[[], Engaged | None]] = Port(
    "the engagement that testing is for", default=_no_engagement
)
work_in_progress: Port[Callable[[], Sequence[Running]]] = Port(
    "packages and reports being generated, oldest first", default=_no_work
)
