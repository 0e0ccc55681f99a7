"""Incidents in the command palette, by ref or title."""

from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.assurance.incidents.models import Incident
from governance.kernel import current
from governance.kernel.manifest import contains
from governance.kernel.visibility_scope import limits


def incidents(text: str) -> Select[UUID, str, str] | None:
    """Select the incidents whose ref or title contains the text; none for a limited auditor."""
    if limits() is not None:
        return None
    pattern = contains(text)
    return select(Incident.id, Incident.ref, Incident.title).where(
        Incident.tenant_id == current.actor().tenant_id,
        or_(Incident.ref.ilike(pattern), Incident.title.ilike(pattern)),
    )
