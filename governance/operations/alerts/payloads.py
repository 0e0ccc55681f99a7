"""The data of the webhook messages alert.fired, alert.acknowledged and alert.resolved.

All three have the same fields, which docs/operating/alerts.md describes. An escalation is another
alert.fired, of severity "page" and with `escalated_at`.
"""

from typing import Any

from governance.foundation.webhooks import event_types
from governance.kernel import current
from governance.kernel.config import public_address
from governance.operations.alerts.alert_words import fired_text
from governance.operations.alerts.models import Alert
from governance.operations.measurements.models import Indicator
from governance.operations.objectives.models import Objective

EXAMPLE = {
    "id": "01935a0c-6f8e-7cc0-8f3f-6f4c1b6a2d10",
    "ref": "ALR-121",
    "url": "https://console.example/t/acme/reliability/alerts/01935a0c-6f8e-7cc0-8f3f-6f4c1b6a2d10",
    "tenant": "acme",
    "state": "firing",
    "severity": "ticket",
    "summary": "claims-triage · Availability spends its budget 3.5 times too fast over 24 h and 5.0"
    " times over 2 h; the rule allows 3.",
    "fired_at": "2026-11-25T07:20:00Z",
    "escalated_at": None,
    "acknowledged_at": None,
    "acknowledged_by": None,
    "resolved_at": None,
    "incident": None,
    "objective": {
        "id": "01935a0c-0000-7000-8000-000000000001",
        "slug": "claims-triage-availability",
        "name": "claims-triage · Availability",
        "version": 3,
        "target": "0.995",
        "is_ai": False,
    },
    "indicator": "claims-triage-availability",
    "rules": [
        {
            "text": "10% in 24 h",
            "budget_share": "0.1",
            "long_minutes": 1440,
            "short_minutes": 120,
            "severity": "ticket",
            "min_bad": 3,
            "min_total": 100,
            "factor": "3",
            "long": {"burn": "3.4722", "lost": 25, "measured": 1440},
            "short": {"burn": "5", "lost": 3, "measured": 120},
            "fired_at": "2026-11-25T07:20:00+00:00",
        }
    ],
}
for _name, _label in (
    ("alert.fired", "an alert fires or escalates"),
    ("alert.acknowledged", "a person acknowledges an alert"),
    ("alert.resolved", "an alert resolves"),
):
    event_types.register(_name, _label, EXAMPLE)


def address_of(alert: Alert) -> str:
    """Return the address of the alert's page, for texts sent outside Meridian."""
    return f"{public_address()}/t/{current.actor().tenant_slug}/reliability/alerts/{alert.id}"


def payload(
    alert: Alert, objective: Objective, indicator: Indicator, acknowledged_by: str | None
) -> dict[str, Any]:
    """Return the data of a message about this alert in its current state."""
    return {
        "id": str(alert.id),
        "ref": alert.ref,
        "url": address_of(alert),
        "tenant": current.actor().tenant_slug,
        "state": alert.state,
        "severity": alert.severity,
        "summary": f"{objective.name} {fired_text(alert.rules)}.",
        "fired_at": alert.fired_at,
        "escalated_at": alert.escalated_at,
        "acknowledged_at": alert.acknowledged_at,
        "acknowledged_by": acknowledged_by,
        "resolved_at": alert.resolved_at,
        "incident": alert.incident_ref,
        "objective": {
            "id": str(objective.id),
            "slug": objective.key,
            "name": objective.name,
            "version": alert.version,
            "target": f"{objective.target:f}",
            "is_ai": objective.is_ai,
        },
        "indicator": indicator.key,
        "rules": list(alert.rules.values()),
    }
