"""The effect of retiring an AI system on its objectives and indicators."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.formatting import plural
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import Objective
from governance.operations.systems.parts import Consequence


def _objectives(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(func.count())
        .select_from(Objective)
        .join(
            Indicator,
            (Indicator.tenant_id == Objective.tenant_id) & (Indicator.id == Objective.indicator_id),
        )
        .where(Indicator.system_id == system_id, Objective.retired_at.is_(None))
    )


def _indicators(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(
        Indicator.system_id == system_id, Indicator.retired_at.is_(None)
    )


OBJECTIVES = Consequence(
    name="objectives",
    order=50,
    count=_objectives,
    text=lambda n: f"{plural(n, 'objective')}: retire what you no longer promise",
)
INDICATORS = Consequence(
    name="indicators",
    order=51,
    count=_indicators,
    text=lambda n: f"{plural(n, 'indicator')}: retire what no program sends any more",
)
