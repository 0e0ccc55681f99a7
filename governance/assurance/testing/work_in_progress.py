"""Ports to the current engagement and to running work, which later features provide.

Both answer for the acting person: an auditor sees only their own engagement.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.kernel.ports import Port
from governance.kernel.work.jobs import WorkItem


@dataclass(frozen=True, slots=True)
class CurrentEngagement:
    """The open engagement, or the next one. `framework` is a key, or None for all controls."""

    id: UUID
    firm: str
    name: str  # For example "SOC 2 Type II".
    framework: str | None
    period_from: date
    period_to: date
    fieldwork_from: date
    fieldwork_to: date
    is_open: bool


@dataclass(frozen=True, slots=True)
class RunningWork:
    """A package or report that is being generated. `endpoint` and `values` give its URL."""

    title: str
    icon: str
    work: WorkItem
    endpoint: str
    values: dict[str, Any]


def _no_engagement() -> CurrentEngagement | None:
    return None


def _no_work() -> Sequence[RunningWork]:
    return ()


current_engagement: Port[Callable[[], CurrentEngagement | None]] = Port(
    "the engagement that testing is for", default=_no_engagement
)
work_in_progress: Port[Callable[[], Sequence[RunningWork]]] = Port(
    "packages and reports being generated, oldest first", default=_no_work
)
