"""AI systems in the command palette."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, or_, select

from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains
from governance.operations.systems.models import AISystem

KIND = "AI system"


def _find(text: str) -> Select[UUID, str, str]:
    pattern = contains(text)
    return select(AISystem.id, AISystem.key, AISystem.name).where(
        AISystem.tenant_id == current.actor().tenant_id,
        AISystem.retired_at.is_(None),
        or_(AISystem.key.ilike(pattern), AISystem.name.ilike(pattern)),
    )


def _address(system_id: UUID, _slug: str) -> dict[str, Any]:
    return {"system_id": system_id}


ai_systems = ObjectSearch(KIND, _find, "systems.system", _address)
