"""The data of a tenant's status page: incidents, objectives and maintenance.

Everything is read in the tenant's own transaction, so row-level security hides other tenants. It
shows only what customers have received: titles and updates that were approved and sent. It never
shows drafts, notes, names or error budgets.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from governance.assurance.incidents import queries
from governance.assurance.incidents.models import (
    CustomerUpdate,
    Incident,
    StatusContact,
    StatusVisit,
)
from governance.assurance.incidents.severity_queries import severity_names
from governance.assurance.incidents.states import LIVE, OPEN
from governance.foundation.people import one_time_codes
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.maintenance import queries as maintenance
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.reading import Reading

PAST = timedelta(days=90)
COMING_OCCURRENCES = 10


@dataclass(frozen=True, slots=True)
class PublicIncident:
    """An incident as customers see it. `title` is the title of its newest update."""

    id: UUID
    ref: str
    title: str
    severity: str
    state: str
    declared_at: datetime
    resolved_at: datetime | None
    systems: tuple[str, ...]
    updates: tuple[CustomerUpdate, ...]

    @property
    def is_over(self) -> bool:
        return self.state not in OPEN


@dataclass(frozen=True, slots=True)
class PublicObjective:
    """An objective and whether it is met. `state` is (kind, word), as the macro `c.state` expects
    it.
    """

    name: str
    state: tuple[str, str]


@dataclass(frozen=True, slots=True)
class PublicMaintenance:
    title: str
    starts_at: datetime
    ends_at: datetime


def incidents() -> list[PublicIncident]:
    """Return incidents that have a sent update: open ones, then those of the last 90 days."""
    query = (
        select(Incident)
        .where(is_recent())
        .order_by(Incident.state.in_(OPEN).desc(), Incident.declared_at.desc())
    )
    found = session().scalars(query).all()
    told = _sent(found)
    impacts = queries.impacts_of([each.id for each in found])
    names = severity_names()
    return [
        PublicIncident(
            each.id,
            each.ref,
            told[each.id][0].title,
            names[each.severity].name,
            each.state,
            each.declared_at,
            each.resolved_at,
            tuple(sorted({w.system.name for w in impacts[each.id]})),
            tuple(told[each.id]),
        )
        for each in found
        if told[each.id]
    ]


def is_recent() -> ColumnElement[bool]:
    """Select incidents that are open or from the last 90 days."""
    return or_(Incident.state.in_(LIVE), Incident.declared_at > clock.now() - PAST)


def _sent(of: Sequence[Incident]) -> dict[UUID, list[CustomerUpdate]]:
    told: dict[UUID, list[CustomerUpdate]] = defaultdict(list)
    query = select(CustomerUpdate).where(
        CustomerUpdate.incident_id.in_({each.id for each in of}), CustomerUpdate.state == "sent"
    )
    for update in session().scalars(query.order_by(CustomerUpdate.number.desc())):
        told[update.incident_id].append(update)
    return told


def objective_states() -> list[PublicObjective]:
    """Return each live objective and whether it is met now, by name. The error budget is left out."""
    readings = objectives.readings(objectives.active_objectives())
    found = [PublicObjective(each.objective.name, _state(each)) for each in readings]
    return sorted(found, key=lambda each: each.name.casefold())


def _state(reading: Reading) -> tuple[str, str]:
    if not reading.is_determinable:
        return "none", "Not determinable"
    return ("bad", "Missed") if reading.state == "overspent" else ("ok", "Met")


def coming_maintenance() -> list[PublicMaintenance]:
    """Return current and coming maintenance that customers may see."""
    return [
        PublicMaintenance(each.exclusion.title, each.span.start, each.span.end)
        for each in maintenance.upcoming(COMING_OCCURRENCES)
        if each.exclusion.category == "maintenance" and each.exclusion.is_customer_visible
    ]


# ---- who comes


def contact_by_link(token: str, *, lock: bool = False) -> StatusContact | None:
    query = select(StatusContact).where(
        StatusContact.link_hash == one_time_codes.hash_of(token),
        StatusContact.removed_at.is_(None),
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def contact_of_visit(token: str) -> StatusContact | None:
    """Return the contact of a visit, or None if the visit has ended."""
    query = (
        select(StatusContact)
        .join(StatusVisit, StatusVisit.contact_id == StatusContact.id)
        .where(
            StatusVisit.token_hash == one_time_codes.hash_of(token),
            StatusVisit.ends_at > clock.now(),
            StatusContact.removed_at.is_(None),
        )
    )
    return session().scalars(query).one_or_none()
