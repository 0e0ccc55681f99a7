"""What reports tell: features that deliver them subscribe."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class ReportGenerated(Event):
    """A report is signed and can be downloaded."""

    run_id: UUID
    title: str
