"""Inbox source of firing alerts, for the objective's owner, admins and officers."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, String, cast, func, or_

from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import ME, ROLE, InboxDone, InboxRow, InboxSource, item_select
from governance.operations.alerts import permissions
from governance.operations.alerts.actions import ALERT_ACKNOWLEDGED
from governance.operations.alerts.deliveries import MANAGERS
from governance.operations.alerts.models import SEVERITIES, Alert
from governance.operations.objectives.models import Objective


def _firing() -> Select[Any]:
    a, o = Alert, Objective
    query = item_select(
        a,
        about="ALR-" + cast(a.number, String) + ": " + o.name,
        detail=a.severity,
        since=func.coalesce(a.escalated_at, a.fired_at),
    ).join(o, o.id == a.objective_id)
    return query.where(a.state == "firing", or_(o.owner_id == ME, ROLE.in_(MANAGERS)))


def _acknowledged() -> Select[Any]:
    about = "ALR-" + cast(Alert.number, String)
    return own_items(Alert, ALERT_ACKNOWLEDGED, about=about)


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"alert_id": row.parent or row.id}


ACKNOWLEDGED = InboxDone(
    name="alert",
    icon="activity",
    select=_acknowledged,
    endpoint="alerts.alert",
    values=_address,
)
FIRING = InboxSource(
    name="alert",
    group="incidents",
    needs=permissions.ACKNOWLEDGE,
    select=_firing,
    icon="activity",
    verb="Acknowledge",
    title=lambda row: f"Acknowledge {row.about}",
    detail=lambda row: (
        f"{SEVERITIES.get(row.detail, 'Alert')}: it spends its error budget too fast"
    ),
    why="you own this objective, or you manage the reliability of this tenant",
    endpoint="alerts.alert",
    values=_address,
    done=(ACKNOWLEDGED,),
)
