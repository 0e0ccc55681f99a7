"""Ports of alerts that features above them implement.

incident_spans(system_id, span)    declared incidents of an AI system with a minute in the span
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.kernel.intervals import Span
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class DeclaredIncident:
    """An incident's impact on a system. `end` is None while it lasts."""

    ref: str
    start: datetime
    end: datetime | None


type IncidentSpans = Callable[[UUID, Span], Sequence[DeclaredIncident]]


def _none(_system_id: UUID, _span: Span) -> Sequence[DeclaredIncident]:
    return ()


incident_spans: Port[IncidentSpans] = Port("declared incidents of a system", default=_none)
