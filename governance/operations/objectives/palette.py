"""Objectives in the command palette, by name or slug."""

from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.kernel import current
from governance.kernel.manifest import contains
from governance.operations.objectives.models import Objective


def objectives(typed: str) -> Select[UUID, str, str]:
    """Select the active objectives whose name or slug contains the text."""
    pattern = contains(typed)
    return select(Objective.id, Objective.key, Objective.name).where(
        Objective.tenant_id == current.actor().tenant_id,
        Objective.retired_at.is_(None),
        or_(Objective.key.ilike(pattern), Objective.name.ilike(pattern)),
    )
