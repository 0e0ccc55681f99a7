"""Incident facts that objectives, alerts and evaluations show.

Coming deadlines, incidents of a system, and the status page that shows them.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import url_for

from governance.assurance.incidents import clocks, deadlines, permissions, queries
from governance.assurance.incidents.states import NAMES, STATE_KINDS
from governance.assurance.playbooks import queries as playbooks
from governance.kernel import current
from governance.kernel.intervals import Span
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.operations.alerts.ports import DeclaredIncident
from governance.operations.evaluations.ports import SystemIncident
from governance.operations.objectives.ports import ComingUp, IncidentMark, Use
from governance.operations.policies.ports import TierNotice

MAX_STEPS = 12  # Steps that a notice names.


def coming_up() -> Sequence[ComingUp]:
    """Return the next deadline of each open incident, for the header of the objectives page."""
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


def tier_notices() -> Sequence[TierNotice]:
    """Return each open incident with its open playbook steps, for the policy tier page.

    Runs two statements.
    """
    if not allowed(permissions.VIEW) or limits() is not None:
        return ()
    found = queries.open_incidents()
    open_steps = _open_steps([each.id for each in found]) if found else {}
    return [
        TierNotice(f"{each.ref} is open.", f"{each.title}. {_named(open_steps.get(each.id, []))}")
        for each in found
    ]


def _open_steps(incident_ids: Sequence[UUID]) -> Mapping[UUID, list[str]]:
    """Return the titles of steps that nobody has completed or skipped, by incident."""
    titles: dict[UUID, list[str]] = defaultdict(list)
    for each in playbooks.runs_in(incident_ids):
        if each.run.ended_at is None and each.run.incident_id is not None:
            titles[each.run.incident_id] += [
                step.step.title for step in each.steps if step.result is None
            ]
    return titles


def _named(titles: Sequence[str]) -> str:
    if not titles:
        return "No step of a playbook is open in it."
    named = ", ".join(f"“{each}”" for each in titles[:MAX_STEPS])
    more = f" and {len(titles) - MAX_STEPS} more" if len(titles) > MAX_STEPS else ""
    return f"Open steps: {named}{more}."


def declared_incidents(system_id: UUID, span: Span) -> Sequence[DeclaredIncident]:
    """Return the incidents that affected a system in a span, for the back-test of alert rules."""
    return [
        DeclaredIncident(each.ref, each.start, each.end)
        for each in queries.incidents_in(span, system_id)
    ]


def incident_marks(system_id: UUID, span: Span) -> Sequence[IncidentMark]:
    """Return the incidents that affected a system in a span, for the page of an objective."""
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
    """Return the incidents that affected a system in a span, for its weekly evaluations."""
    return [
        SystemIncident(each.ref, each.title, each.href, each.start)
        for each in incident_marks(system_id, span)
    ]


def status_page() -> Use | None:
    """Return the tenant's status page if the reader may open it."""
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
