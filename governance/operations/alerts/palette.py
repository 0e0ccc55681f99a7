"""Alerts in the command palette: by reference, or by their objective's name."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, cast, literal, or_, select

from governance.kernel import current
from governance.kernel.manifest import ObjectSearch, contains
from governance.operations.alerts.models import Alert
from governance.operations.objectives.models import Objective

KIND = "alert"


def _find(text: str) -> Select[UUID, str, str] | None:
    ref = literal("ALR-") + cast(Alert.number, String)
    found = or_(ref.ilike(contains(text)), Objective.name.ilike(contains(text)))
    query = select(Alert.id, ref, ref + " " + Objective.name)
    query = query.join(Objective, Objective.id == Alert.objective_id)
    mine = Alert.tenant_id == current.actor().tenant_id
    return query.where(mine, found).order_by(Alert.fired_at.desc()).limit(5)


def _address(alert_id: UUID, _ref: str) -> dict[str, Any]:
    return {"alert_id": alert_id}


ALERTS = ObjectSearch(KIND, _find, "alerts.alert", _address)
