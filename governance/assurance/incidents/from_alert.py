"""Declare an incident from an alert: acknowledge the alert and link both."""

from datetime import datetime
from uuid import UUID

from governance.assurance.incidents import actions, queries
from governance.assurance.incidents.models import Incident
from governance.operations.alerts import actions as alerts
from governance.operations.alerts import queries as alert_queries
from governance.operations.alerts.models import Alert
from governance.operations.measurements import queries as measurements
from governance.operations.objectives import queries as objectives


def declare_from_alert(
    alert_id: UUID,
    title: str,
    *,
    severity: int,
    summary: str = "",
    impact_from: datetime | None = None,
    lead_id: UUID | None = None,
) -> Incident:
    """Declare, acknowledge and link. Idempotent: a second click returns the same incident.

    Detection and awareness are when the alert fired. The impact is on the system of its objective.
    An alert that is already acknowledged or resolved is only linked.
    """
    alert = alert_queries.alert(alert_id, lock=True)
    there = queries.incident_of_alert(alert_id)
    if there is not None:
        return there
    made = actions.declare(
        title,
        severity=severity,
        summary=summary,
        systems=[system_of(alert)],
        impact_from=impact_from or alert.fired_at,
        aware_at=alert.fired_at,
        detected_at=alert.fired_at,
        lead_id=lead_id,
        alert_id=alert.id,
        alert_ref=alert.ref,
    )
    if alert.state == "firing":
        alerts.acknowledge(alert.id)
    alerts.link_incident(alert, made.id, made.ref)
    return made


def system_of(alert: Alert) -> UUID:
    """Return the system that the alert's objective measures."""
    measured = objectives.objective(alert.objective_id)
    return measurements.indicator(measured.indicator_id).system_id
