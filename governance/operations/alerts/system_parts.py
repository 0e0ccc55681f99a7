"""Alerts on an AI system's page: how many burn, of how many objectives."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.formatting import plural
from governance.operations.alerts import permissions
from governance.operations.alerts.models import Alert
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import Objective
from governance.operations.systems.parts import Figure, SystemFigure


def _burning(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the numbers of firing alerts, of acknowledged alerts, and of objectives."""
    return (
        select(
            func.count().filter(Alert.state == "firing"),
            func.count().filter(Alert.state == "acknowledged"),
            func.count(Objective.id.distinct()),
        )
        .select_from(Objective)
        .join(Indicator, Indicator.id == Objective.indicator_id)
        .outerjoin(Alert, (Alert.objective_id == Objective.id) & (Alert.state != "resolved"))
        .where(Indicator.system_id == system_id, Objective.retired_at.is_(None))
        .having(func.count() > 0)
    )


def _words(firing: str, acknowledged: str, objectives: str) -> Figure:
    note = f"of {plural(int(objectives), 'objective')}"
    words = [f"{firing} firing"] if int(firing) else []
    words += [f"{acknowledged} acknowledged"] if int(acknowledged) else []
    if int(firing):
        clause = "an alert is firing" if int(firing) == 1 else f"{firing} alerts are firing"
        return Figure(", ".join(words), note, "bad", clause)
    return Figure(", ".join(words) or "None firing", note, "warn" if words else "ok")


ALERTS = SystemFigure(
    label="Alerts", order=40, permission=permissions.VIEW, select=_burning, words=_words
)
