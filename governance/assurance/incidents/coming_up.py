"""What objectives, alerts and evaluations ask of incidents: the coming deadlines, incidents of a
system, and the status page that shows them.
"""

from collections.abc import Sequence
from uuid import UUID

from flask import url_for

from governance.assurance.incidents import clocks, deadlines, permissions, queries
from governance.assurance.incidents.states import NAMES, STATE_KINDS
from governance.kernel import current
from governance.kernel.access import allowed
from governance.kernel.intervals import Span
from governance.kernel.visibility_scope import limits
from governance.operations.alerts.ports import DeclaredIncident
from governance.operations.evaluations.ports import SystemIncident
from governance.operations.objectives.ports import ComingUp, IncidentMark, Use


def coming_up() -> Sequence[ComingUp]:
    """Return the next deadline of each open incident, for the head of the objectives."""
    if not allowed(permissions.VIEW) or limits() is not None:
        return ()
    found = queries.open_incidents()
    if not found:
        return ()
    every = deadlines.clocks_of_many(found)
    coming = []
    for each in found:
        clock = clocks.next_due(every[each.id])
        if clock is not None and clock.due_at is not None:
            href = url_for("incidents.incident", incident_id=each.id)
            label = f"{each.ref}: {clock.verb}"
            coming.append(ComingUp(clock.due_at, label, href, clock.name, "alert-triangle"))
    return coming


def declared_incidents(system_id: UUID, span: Span) -> Sequence[DeclaredIncident]:
    """Return the incidents that touched a system in a span, for the back-test of alert rules."""
    return [
        DeclaredIncident(each.ref, each.start, each.end)
        for each in queries.incidents_in(span, system_id)
    ]


def incident_marks(system_id: UUID, span: Span) -> Sequence[IncidentMark]:
    """Return the incidents that touched a system in a span, for the page of an objective."""
    if not allowed(permissions.VIEW) or limits() is not None:
        return ()
    return [
        IncidentMark(
            each.ref,
            each.title,
            (STATE_KINDS[each.state], NAMES[each.state]),
            url_for("incidents.incident", incident_id=each.incident_id),
            each.start,
            each.end,
        )
        for each in queries.incidents_in(span, system_id)
    ]


def system_incidents(system_id: UUID, span: Span) -> Sequence[SystemIncident]:
    """Return the incidents that touched a system in a span, for its weekly evaluations."""
    return [
        SystemIncident(each.ref, each.title, each.href, each.start)
        for each in incident_marks(system_id, span)
    ]


def status_page() -> Use | None:
    """Return the tenant's status page, for those who may open it."""
    if not allowed(permissions.VIEW) or limits() is not None:
        return None
    who = current.actor()
    return Use(
        "Status page",
        f"Status page of {who.tenant_name}",
        url_for("status.show", tenant=who.tenant_slug),
        note="Shows the state, not the budget",
        icon="world",
    )
