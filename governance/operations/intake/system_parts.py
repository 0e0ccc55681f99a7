"""Parts of intake on a system's pages: its duties under the EU AI Act."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, select

from governance.operations.intake import permissions
from governance.operations.systems.models import AISystem
from governance.operations.systems.parts import SystemTab


def _has_class(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(literal("").label("note")).where(
        AISystem.id == system_id, AISystem.ai_act_class.not_in(("", "out_of_scope"))
    )


DUTIES_TAB = SystemTab(
    label="Duties",
    endpoint="intake.duties",
    argument="key",
    permission=permissions.VIEW,
    order=25,
    content=_has_class,
)
