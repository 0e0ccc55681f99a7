"""Suggest an incident after a stop. A person declares it in one click, or dismisses it."""

from uuid import UUID

from governance.assurance.incidents import actions, permissions, queries
from governance.assurance.incidents.models import Incident, IncidentSuggestion
from governance.assurance.incidents.text_fields import MAX_LINE_LENGTH, required
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.safety.access import require
from governance.operations.switches.events import StopOrdered
from governance.operations.switches.models import Stop
from governance.operations.systems import queries as systems

DISMISSED = action(
    "incident.suggestion.dismissed",
    "decided that a stop is no incident",
    target="IncidentSuggestion",
    activity="update",
    severity="low",
    fields="switch",
)


def suggest(ordered: StopOrdered) -> None:
    """Save the stop as a suggestion, in the same transaction.

    A stop of a system that an open incident affects is part of the response, so it suggests
    nothing.
    """
    stop = find(Stop, ordered.stop_id, what="stop")
    if stop.system_id is not None and queries.has_open_incident(stop.system_id):
        return
    if queries.suggestion(ordered.stop_id) is None:
        session().add(
            IncidentSuggestion(
                stop_id=ordered.stop_id, switch=ordered.switch, created_at=clock.now()
            )
        )


def declare_from_stop(stop_id: UUID, *, severity: int = 2) -> Incident:
    """Declare the incident that a stop suggests. Idempotent.

    Its impact starts with the stop, on the systems that it stopped, or on all of them.
    """
    stop = find(Stop, stop_id, what="stop")
    found = queries.suggestion(stop_id, lock=True)
    if stop.drill_id is not None or found is None:
        raise NotFound("This stop suggests no incident.")
    system_ids = [stop.system_id] if stop.system_id else [s.id for s in systems.live_systems()]
    return actions.declare(
        f"{found.switch} was stopped",
        severity=severity,
        summary=stop.reason,
        systems=system_ids,
        impact_from=stop.created_at,
        aware_at=stop.created_at,
        detected_at=stop.created_at,
        stop_id=stop.id,
    )


def dismiss(stop_id: UUID, *, reason: str) -> None:
    """Dismiss the suggestion, with a reason."""
    require(permissions.DECLARE)
    found = queries.suggestion(stop_id, lock=True)
    if found is None:
        raise NotFound("This stop suggests no incident.")
    if found.settled_at is not None:
        return
    found.reason = required(
        reason, "reason", "Enter why this stop is no incident.", limit=MAX_LINE_LENGTH * 10
    )
    found.settled_at = clock.now()
    record(DISMISSED, found, switch=found.switch, reason=found.reason)
