"""Send the steps of an alert, once each: to the inbox, by email and to webhook endpoints.

These are the first subscribers of the alerts' events. They run in the transaction of the change, so
a rollback sends nothing. The inbox reads the alerts themselves (inbox.py); its rows here list the
recipients. Email goes to the objective's owner; an escalation, and an alert without an owner, also
go to the admins.
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert

from governance.foundation.people.queries import Member, members, names
from governance.foundation.webhooks import actions as webhooks
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.kernel.work import outbox
from governance.operations.alerts import queries
from governance.operations.alerts.alert_words import fired_text
from governance.operations.alerts.events import AlertAcknowledged, AlertFired, AlertResolved
from governance.operations.alerts.models import Alert, AlertDelivery
from governance.operations.alerts.payloads import address_of, payload
from governance.operations.measurements import queries as measurements
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.models import Objective

MANAGERS = ("admin", "compliance_officer")


def on_fired(event: AlertFired) -> None:
    """Notify the people who must act, and the webhook endpoints."""
    alert = queries.alert(event.alert_id)
    objective = objectives.objective(event.objective_id)
    step = "escalated" if event.is_escalation else "fired"
    everyone = members()
    for person in _who_acts(everyone, objective):
        _deliver(alert, step, event.at, "inbox", person.person_id)
    for person in _who_is_written_to(everyone, objective, is_escalation=event.is_escalation):
        if _deliver(alert, step, event.at, "email", person.person_id):
            _write(person, alert, objective, is_escalation=event.is_escalation)
    _post("alert.fired", alert, objective, step, event.at)


def on_acknowledged(event: AlertAcknowledged) -> None:
    """Notify the webhook endpoints."""
    alert = queries.alert(event.alert_id)
    objective = objectives.objective(event.objective_id)
    _post("alert.acknowledged", alert, objective, "acknowledged", event.at)


def on_resolved(event: AlertResolved) -> None:
    """Notify the webhook endpoints."""
    alert = queries.alert(event.alert_id)
    objective = objectives.objective(event.objective_id)
    _post("alert.resolved", alert, objective, "resolved", event.at)


def _who_acts(everyone: Sequence[Member], objective: Objective) -> list[Member]:
    return [
        each for each in everyone if each.person_id == objective.owner_id or each.role in MANAGERS
    ]


def _who_is_written_to(
    everyone: Sequence[Member], objective: Objective, *, is_escalation: bool
) -> list[Member]:
    owner = [each for each in everyone if each.person_id == objective.owner_id]
    if owner and not is_escalation:
        return owner
    admins = [each for each in everyone if each.role == "admin"]
    return owner + [each for each in admins if each not in owner]


def _write(person: Member, alert: Alert, objective: Objective, *, is_escalation: bool) -> None:
    says = "escalated to a page" if is_escalation else "fired"
    what = f"{objective.name} {fired_text(alert.rules)}."
    outbox.send_mail(
        person.email,
        f"{alert.severity_name}: {objective.name} ({alert.ref})",
        f"{alert.ref} {says} in {current.actor().tenant_name}.\n\n{what}\n\n"
        f"Acknowledge it so that others know you act: {address_of(alert)}\n",
    )


def _post(event_type: str, alert: Alert, objective: Objective, step: str, at: datetime) -> None:
    indicator = measurements.indicator(objective.indicator_id)
    by = (
        names([alert.acknowledged_by]).get(alert.acknowledged_by) if alert.acknowledged_by else None
    )
    sent = webhooks.send(event_type, payload(alert, objective, indicator, by))
    if sent:
        _deliver(alert, step, at, "webhook", None, endpoints=len(sent))


def _deliver(
    alert: Alert,
    step: str,
    at: datetime,
    channel: str,
    person_id: UUID | None,
    *,
    endpoints: int = 0,
) -> bool:
    """Record a delivery. Return False if it was recorded before."""
    row = insert(AlertDelivery).values(
        id=uuid7(),
        tenant_id=alert.tenant_id,
        alert_id=alert.id,
        step=step,
        at=at,
        channel=channel,
        person_id=person_id,
        endpoints=endpoints,
        created_at=clock.now(),
    )
    once = row.on_conflict_do_nothing(constraint="uq_alert_deliveries_once")
    return session().scalar(once.returning(AlertDelivery.id)) is not None
