"""The effect of retiring an AI system on budgets that count its evaluations."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.formatting import plural
from governance.operations.measurements.evaluation_models import EvaluationFeed
from governance.operations.measurements.models import Indicator
from governance.operations.systems.parts import Consequence


def _feeds(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(func.count())
        .select_from(EvaluationFeed)
        .join(Indicator, Indicator.id == EvaluationFeed.indicator_id)
        .where(
            Indicator.system_id == system_id,
            Indicator.retired_at.is_(None),
            EvaluationFeed.stopped_at.is_(None),
        )
    )


EVALUATION_FEEDS = Consequence(
    name="error budgets of evaluations",
    order=52,
    count=_feeds,
    text=lambda n: f"{plural(n, 'error budget')} of its evaluations: no run counts any more",
)
