"""What evaluations ask of the features above them; each has an empty default.

incidents_of(system_id, span)  incidents that touched the AI system in the span, the earliest
                               first, for those who may see them; one statement
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.kernel.intervals import Span
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class SystemIncident:
    """An incident that touched an AI system from `start` on."""

    ref: str
    title: str
    href: str
    start: datetime


type IncidentsOf = Callable[[UUID, Span], Sequence[SystemIncident]]

incidents_of: Port[IncidentsOf] = Port(
    "incidents beside evaluations", default=lambda _system_id, _span: ()
)
