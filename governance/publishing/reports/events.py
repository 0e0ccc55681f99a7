"""Events of reports. Features that deliver reports subscribe to them."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class ReportGenerated(Event):
    """The event that a report is signed and can be downloaded."""

    run_id: UUID
    title: str
