"""What evaluations add to an AI system's pages: the tab with its weekly series."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, select

from governance.operations.evaluations import permissions
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.systems.parts import SystemTab


def _evaluated(system_id: UUID) -> Select[*tuple[Any, ...]]:
    judged = select(EvaluationRun.id).where(
        EvaluationRun.system_id == system_id, EvaluationRun.state == "judged"
    )
    return select(literal("")).where(judged.exists())


EVALUATIONS_TAB = SystemTab(
    label="Evaluations",
    endpoint="evaluations.trend",
    argument="system_key",
    permission=permissions.VIEW,
    order=50,
    content=_evaluated,
)
