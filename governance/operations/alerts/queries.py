"""Alerts and exhausted budgets, as rows.

alert, open_alerts, alerts_of                 alerts
newest                                        a page of the list
deliveries                                    the deliveries of an alert
exhaustion, open_exhaustions, response_of     exhausted error budgets
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select

from governance.kernel.data.db import among, find, session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.alerts.models import (
    Alert,
    AlertDelivery,
    BudgetExhaustion,
    BudgetResponse,
)
from governance.operations.objectives.models import Objective


def alert(alert_id: UUID, *, lock: bool = False) -> Alert:
    """Return an alert. Raises NotFound for another tenant's."""
    return find(Alert, alert_id, what="alert", lock=lock)


def open_alerts(*, lock: bool = False) -> Sequence[Alert]:
    """Return the unresolved alerts: firing first, then newest first."""
    query = select(Alert).where(Alert.state != "resolved")
    query = query.order_by(Alert.state.desc(), Alert.fired_at.desc(), Alert.id)
    return session().scalars(query.with_for_update() if lock else query).all()


def open_with_objectives() -> Sequence[Any]:
    """Return (alert, objective) of unresolved alerts: firing first, pages first."""
    query: Any = select(Alert, Objective)
    query = query.join(Objective, Objective.id == Alert.objective_id).where(
        Alert.state != "resolved"
    )
    ordered = query.order_by(Alert.state.desc(), Alert.level, Alert.fired_at.desc(), Alert.id)
    return session().execute(ordered).all()


def fired_since(at: datetime) -> int:
    """Return how many alerts fired or escalated after an instant."""
    moment = func.coalesce(Alert.escalated_at, Alert.fired_at)
    query = select(func.count()).select_from(Alert)
    return session().scalar(query.where(Alert.state == "firing", moment > at)) or 0


def alerts_of(objective_id: UUID, *, limit: int = 20) -> Sequence[Alert]:
    """Return the newest alerts of an objective."""
    query = select(Alert).where(Alert.objective_id == objective_id)
    return session().scalars(query.order_by(Alert.fired_at.desc()).limit(limit)).all()


def objective_name(alert: Alert) -> str:
    query = select(Objective.name).where(Objective.id == alert.objective_id)
    return session().scalars(query).one()


def next_number() -> int:
    return (session().scalar(select(func.max(Alert.number))) or 0) + 1


# ---- the list


def newest(criteria: Mapping[str, str], after: str | None, *, size: int) -> Keyset:
    """Return a page of (alert, objective's name), the newest first."""
    query: Any = select(Alert, Objective.name)
    query = query.join(Objective, Objective.id == Alert.objective_id)
    query = query.where(*_conditions(criteria))
    return keyset(query, Alert.fired_at, Alert.id, after=after, size=size, descending=True)


def count(criteria: Mapping[str, str]) -> int:
    """Count the alerts that match the filters."""
    query = select(func.count()).select_from(Alert)
    query = query.join(Objective, Objective.id == Alert.objective_id)
    return session().scalar(query.where(*_conditions(criteria))) or 0


def _conditions(criteria: Mapping[str, str]) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if state := criteria.get("state"):
        found.append(Alert.state != "resolved" if state == "open" else Alert.state == state)
    if severity := criteria.get("severity"):
        found.append(Alert.severity == severity)
    if objective_id := criteria.get("objective"):
        found.append(Objective.key == objective_id)
    if text := criteria.get("q"):
        pattern = f"%{text.replace('%', '').replace('_', '')}%"
        found.append(
            or_(func.concat("ALR-", Alert.number).ilike(pattern), Objective.name.ilike(pattern))
        )
    return found


def open_by_state() -> dict[str, int]:
    """Return the numbers of firing and of acknowledged alerts."""
    query = select(Alert.state, func.count()).where(Alert.state != "resolved")
    rows = session().execute(query.group_by(Alert.state))
    return {row[0]: row[1] for row in rows}


# ---- deliveries


def deliveries(alert_ids: Collection[UUID]) -> dict[UUID, list[AlertDelivery]]:
    """Return the deliveries of these alerts, in order. Runs one statement."""
    if not alert_ids:
        return {}
    query = select(AlertDelivery).where(among(AlertDelivery.alert_id, alert_ids))
    found: dict[UUID, list[AlertDelivery]] = {}
    for each in session().scalars(query.order_by(AlertDelivery.at, AlertDelivery.id)):
        found.setdefault(each.alert_id, []).append(each)
    return found


# ---- exhausted error budgets


def exhaustion(exhaustion_id: UUID) -> BudgetExhaustion:
    """Return an exhaustion of a budget. Raises NotFound for another tenant's."""
    return find(BudgetExhaustion, exhaustion_id, what="exhausted budget")


def open_exhaustions() -> dict[UUID, BudgetExhaustion]:
    """Return the currently exhausted budgets, by objective."""
    query = select(BudgetExhaustion).where(BudgetExhaustion.restored_at.is_(None))
    return {each.objective_id: each for each in session().scalars(query)}


def exhaustions_of(objective_id: UUID, *, limit: int = 10) -> Sequence[BudgetExhaustion]:
    """Return the newest exhaustions of an objective's budget."""
    query = select(BudgetExhaustion).where(BudgetExhaustion.objective_id == objective_id)
    return (
        session().scalars(query.order_by(BudgetExhaustion.exhausted_at.desc()).limit(limit)).all()
    )


def response_of(objective_id: UUID) -> BudgetResponse | None:
    """Return the response to an exhausted budget, or None if there is none."""
    query = select(BudgetResponse).where(BudgetResponse.objective_id == objective_id)
    return session().scalars(query).one_or_none()
