"""Rows that alerts and incidents leave behind, for tests of their readers."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from governance.assurance.incidents.models import FollowUp, Incident
from governance.kernel.data.db import session
from governance.operations.alerts.models import Alert
from governance.operations.measurements import actions as measurements
from governance.operations.objectives import actions as objectives
from tests.row_factory import ALERT_FACTS


def add_alert(system_id: UUID, at: datetime, *, acknowledged_at: datetime | None = None) -> Alert:
    """Add an alert on a new objective of the system, open since that time."""
    indicator = measurements.define(
        key="claims-availability", name="Availability", system_id=system_id, kind="ratio"
    )
    objective = objectives.create(
        name="claims-triage · Availability", indicator_id=indicator.id, target=Decimal("0.99")
    )
    return _add_row(
        Alert(
            number=7,
            objective_id=objective.id,
            version=1,
            state="firing" if acknowledged_at is None else "acknowledged",
            severity="page",
            level="page",
            rules={"1h": ALERT_FACTS},
            fired_at=at,
            acknowledged_at=acknowledged_at,
            evaluated_at=at,
        )
    )


def add_incident(resolved_at: datetime) -> Incident:
    """Add an incident that was resolved at that time and never reviewed."""
    at = resolved_at - timedelta(hours=4)
    return _add_row(
        Incident(
            ref="INC-34",
            title="Approvals cited a withdrawn clause",
            severity=2,
            state="resolved",
            declared_at=at,
            detected_at=at,
            aware_at=at,
            resolved_at=resolved_at,
        )
    )


def add_follow_up(
    incident: Incident, due: datetime, *, done_at: datetime | None = None
) -> FollowUp:
    return _add_row(
        FollowUp(incident_id=incident.id, title="Add 40 cases", due_on=due.date(), done_at=done_at)
    )


def _add_row[Row](row: Row) -> Row:
    session().add(row)
    session().flush()
    return row
