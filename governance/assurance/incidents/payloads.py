"""Webhook payloads of incidents: facts that may leave the tenant, without people's names."""

from typing import Any

from governance.assurance.incidents.models import Incident

DECLARED, RESOLVED, UPDATED = "incident.declared", "incident.resolved", "incident.updated"


def of(incident: Incident) -> dict[str, Any]:
    """Return the data of an incident's webhook messages."""
    return {
        "incident": incident.ref,
        "id": str(incident.id),
        "title": incident.title,
        "severity": incident.severity,
        "state": incident.state,
        "declared_at": incident.declared_at,
        "resolved_at": incident.resolved_at,
    }
