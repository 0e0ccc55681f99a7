"""Ports of evaluations that features above them implement; each has an empty default.

incidents_of(system_id, span)  incidents that affected the AI system in the span, the earliest
                               first, for readers who may see them; one statement
roles_of(system_ids)           the releases of each AI system that are served or in a rollout, by
                               the record of rollouts or a person's statement; a system without a
                               record isn't in it; one statement
recorded_of(system_ids)        the releases that each record ever named; the same statement
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.kernel.intervals import Span
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class SystemIncident:
    """An incident that affected an AI system from `start`."""

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
    """The role of a release in the record of rollouts: "Served", or "RO-1, halted at 5%"."""

    text: str
    is_served: bool


STATED = ReleaseRole("Served, as stated", is_served=True)  # A person stated it

type Roles = Mapping[str, ReleaseRole]
type RolesOf = Callable[[Collection[UUID]], Mapping[UUID, Roles]]

roles_of: Port[RolesOf] = Port("releases that are served", default=lambda _system_ids: {})

type RecordedOf = Callable[[Collection[UUID]], Mapping[UUID, Collection[str]]]

recorded_of: Port[RecordedOf] = Port(
    "releases that were ever served or in a rollout", default=lambda _system_ids: {}
)
