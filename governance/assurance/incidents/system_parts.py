"""The link that incidents add to an AI system's page: the status page, if it shows the system."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, or_, select

from governance.assurance.incidents import permissions
from governance.assurance.incidents.models import CustomerUpdate, Impact, Incident
from governance.assurance.incidents.status_page import is_recent
from governance.kernel import current
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import Objective
from governance.operations.systems.parts import UsedBy


def _status_page(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the page if it shows an objective of the system or an incident that affected it."""
    objective = (
        select(Objective.id)
        .join(Indicator, Indicator.id == Objective.indicator_id)
        .where(Indicator.system_id == system_id, Objective.retired_at.is_(None))
    )
    told = (
        select(Incident.id)
        .join(Impact, Impact.incident_id == Incident.id)
        .join(CustomerUpdate, CustomerUpdate.incident_id == Incident.id)
        .where(
            Impact.system_id == system_id,
            Impact.removed_at.is_(None),
            CustomerUpdate.state == "sent",
            is_recent(),
        )
    )
    slug = literal(current.actor().tenant_slug).label("slug")
    return select(slug, literal("Status page").label("words")).where(
        or_(objective.exists(), told.exists())
    )


USED_BY = UsedBy(
    order=70,
    permission=permissions.VIEW,
    select=_status_page,
    endpoint="status.show",
    argument="tenant",
    counts_everything=True,
)
