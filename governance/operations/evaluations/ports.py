"""What evaluations ask of the features above them; each has an empty default.

incidents_of(system_id, span)  incidents that touched the AI system in the span, the earliest
                               first, for those who may see them; one statement
roles_of(system_ids)           which releases of each AI system are served or in a rollout, by the
                               record of rollouts, or as somebody stated it; a system without a
                               record isn't in it; one statement
recorded_of(system_ids)        which releases of each the record ever named; the same statement
"""

from collections.abc import Callable, Collection, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class ReleaseRole:
    """What the record of rollouts says of a release: "Served", or "RO-1, halted at 5%"."""

    text: str
    is_served: bool


STATED = ReleaseRole("Served, as stated", is_served=True)  # by a person, where no rollout says it

type Roles = Mapping[str, ReleaseRole]
type RolesOf = Callable[[Collection[UUID]], Mapping[UUID, Roles]]

roles_of: Port[RolesOf] = Port("releases that are served", default=lambda _system_ids: {})

type RecordedOf = Callable[[Collection[UUID]], Mapping[UUID, Collection[str]]]

recorded_of: Port[RecordedOf] = Port(
    "releases that were ever served or in a rollout", default=lambda _system_ids: {}
)
