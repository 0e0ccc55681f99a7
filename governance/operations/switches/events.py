"""Events that the kill switch publishes for the features above it."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class DrillEnded(Event):
    """A drill has passed, failed or been cut short.

    `sheet` is its result as CSV, with a row per consumer.
    """

    drill_id: UUID
    system: str  # Slug of the system
    day: date
    sheet: bytes


@dataclass(frozen=True, slots=True)
class StopOrdered(Event):
    """A person stopped a scope, or widened its stop. A drill's own stop doesn't count."""

    stop_id: UUID
    switch: str  # Stopped scope as people read it: "claims-triage · auto-approve"


@dataclass(frozen=True, slots=True)
class StopLifted(Event):
    """A real stop, not that of a drill, was restarted.

    `stop_record.read(stop_id)` returns its record.
    """

    stop_id: UUID
