"""The people, systems and features that the rows of an attestation refer to, read once."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.people.aliases import FORMER_MEMBER
from governance.kernel.data.db import session
from governance.operations.policies.effective_policies import RISK_CLASS_LABELS, Governed
from governance.operations.policies.models import PolicyVersion, Waiver
from governance.operations.switches.models import (
    Drill,
    Stop,
)
from governance.operations.systems.models import AISystem, SystemFeature

MERIDIAN = "Meridian"
type Json = dict[str, Any]


@dataclass(slots=True)
class KnownRows:
    """People, systems and features by id, and the end of the attestation."""

    systems: Mapping[UUID, AISystem]
    features: Mapping[UUID, str]
    people: dict[UUID, str]
    until: datetime

    def who(self, person_id: UUID | None) -> str:
        return self.people.get(person_id, FORMER_MEMBER) if person_id else MERIDIAN

    def before_end(self, at: datetime | None) -> datetime | None:
        """Return the instant if it is within the period, or None if it is later."""
        return at if at is not None and at <= self.until else None

    def system(self, system_id: UUID | None) -> str:
        return (
            self.systems[system_id].key
            if system_id is not None and system_id in self.systems
            else ""
        )


def risk_class(system: Governed) -> str:
    """Return a label such as "High", for a column named risk class."""
    return RISK_CLASS_LABELS[system.lane].removesuffix(" risk class")


def iso(at: datetime | None) -> str | None:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None


def systems_by_id() -> dict[UUID, AISystem]:
    return {each.id: each for each in session().scalars(select(AISystem))}


def features_by_id() -> dict[UUID, str]:
    return {each.id: each.key for each in session().scalars(select(SystemFeature))}


def people_in(
    versions: Iterable[PolicyVersion],
    waivers: Iterable[Waiver],
    stops: Iterable[Stop],
    drills: Iterable[Drill],
    waiting: Iterable[PolicyVersion],
) -> Iterator[UUID | None]:
    for v in (*versions, *waiting):
        yield from (v.made_by, v.decided_by)
    for w in waivers:
        yield from (w.requested_by, w.closed_by)
    for s in stops:
        yield from (s.stopped_by, s.restart_requested_by, s.restarted_by)
    for d in drills:
        yield from (d.planned_by, d.approved_by)
