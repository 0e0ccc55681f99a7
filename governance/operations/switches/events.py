"""What the kill switch tells the features above it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class DrillEnded(Event):
    """A drill has passed, failed or been cut short.

    `sheet` is its result as CSV, a row for each consumer.
    """

    drill_id: UUID
    system: str  # the system's slug
    day: date
    sheet: bytes


@dataclass(frozen=True, slots=True)
class StopOrdered(Event):
    """A person stopped a scope, or stopped more of it. A drill's own stop is none."""

    stop_id: UUID
    switch: str  # what was stopped, as people read it: "claims-triage · auto-approve"


@dataclass(frozen=True, slots=True)
class StopLifted(Event):
    """A real stop, not that of a drill, was restarted.

    What it did is read by `stop_record.read(stop_id)`.
    """

    stop_id: UUID
