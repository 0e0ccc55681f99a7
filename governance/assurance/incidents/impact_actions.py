"""Impact windows of systems, and figures of the harm. Neither changes measured counts."""

from datetime import datetime
from uuid import UUID

from governance.assurance.incidents import permissions, queries
from governance.assurance.incidents.actions import check_not_closed
from governance.assurance.incidents.models import Impact, ImpactFigure, Incident
from governance.assurance.incidents.text_fields import MAX_LINE_LENGTH, optional, required
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import find, lock_tenant, session
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.intervals import whole_minute
from governance.kernel.safety.access import require
from governance.operations.systems.models import AISystem

IMPACT_ADDED = action(
    "incident.impact.added",
    "added an impact window to an incident",
    target="Impact",
    activity="create",
    severity="low",
    fields="ref system starts_at ends_at",
    personal="note",
    shape="down",
)
IMPACT_CHANGED = action(
    "incident.impact.changed",
    "changed an impact window of an incident",
    target="Impact",
    activity="update",
    severity="low",
    fields="ref system starts_at ends_at",
    personal="note",
)
IMPACT_REMOVED = action(
    "incident.impact.removed",
    "removed an impact window from an incident",
    target="Impact",
    activity="delete",
    severity="low",
    fields="ref system starts_at ends_at",
)
FIGURE_ADDED = action(
    "incident.figure.added",
    "added a figure to an incident",
    target="ImpactFigure",
    activity="create",
    severity="informational",
    fields="ref figure meaning",
)
FIGURE_REMOVED = action(
    "incident.figure.removed",
    "removed a figure from an incident",
    target="ImpactFigure",
    activity="delete",
    severity="informational",
    fields="ref figure",
)
MAX_FIGURES, MAX_FIGURE_LENGTH = 3, 24  # Figures beside the duration: four in a row.


def add_window(
    incident: Incident,
    system_id: UUID,
    *,
    starts_at: datetime,
    ends_at: datetime | None = None,
    note: str = "",
) -> Impact:
    """Add the period in which a system was affected. Without an end it continues."""
    require(permissions.MANAGE, on=incident)
    check_not_closed(incident)
    system = find(AISystem, system_id, what="AI system")
    starts_at, ends_at = _checked(starts_at, ends_at)
    made = Impact(
        incident_id=incident.id,
        system_id=system.id,
        starts_at=starts_at,
        ends_at=ends_at,
        note=optional(note, "note", limit=MAX_LINE_LENGTH),
        created_at=clock.now(),
    )
    session().add(made)
    record(
        IMPACT_ADDED,
        made,
        ref=incident.ref,
        system=system.key,
        starts_at=starts_at,
        ends_at=ends_at,
        note=made.note or None,
    )
    return made


def change_window(
    incident: Incident,
    impact: Impact,
    *,
    starts_at: datetime,
    ends_at: datetime | None,
    note: str = "",
) -> None:
    """Change a window's times, or end it."""
    require(permissions.MANAGE, on=incident)
    check_not_closed(incident)
    starts_at, ends_at = _checked(starts_at, ends_at)
    before = {"starts_at": impact.starts_at, "ends_at": impact.ends_at, "note": impact.note}
    impact.starts_at, impact.ends_at = starts_at, ends_at
    impact.note = optional(note, "note", limit=MAX_LINE_LENGTH)
    after = {"starts_at": starts_at, "ends_at": ends_at, "note": impact.note}
    if before != after:
        system = find(AISystem, impact.system_id, what="AI system")
        record(
            IMPACT_CHANGED,
            impact,
            ref=incident.ref,
            system=system.key,
            before=before,
            after=after,
        )


def remove_window(incident: Incident, impact: Impact) -> None:
    require(permissions.MANAGE, on=incident)
    check_not_closed(incident)
    if impact.removed_at is None:
        impact.removed_at = clock.now()
        system = find(AISystem, impact.system_id, what="AI system")
        record(
            IMPACT_REMOVED,
            impact,
            ref=incident.ref,
            system=system.key,
            starts_at=impact.starts_at,
            ends_at=impact.ends_at,
        )


def add_figure(incident: Incident, figure: str, meaning: str) -> ImpactFigure:
    """Add a figure of the harm; at most three beside the duration. Idempotent."""
    require(permissions.NOTE)
    check_not_closed(incident)
    figure = required(
        figure, "figure", "Enter a figure, such as 231 of 318.", limit=MAX_FIGURE_LENGTH
    )
    meaning = required(
        meaning, "meaning", "Enter what the figure counts.", limit=MAX_LINE_LENGTH // 2
    )
    lock_tenant(f"figures of {incident.id}")
    there = queries.figures(incident.id)
    for each in there:
        if (each.figure, each.meaning) == (figure, meaning):
            return each
    if len(there) >= MAX_FIGURES:
        raise Invalid(f"An incident has {MAX_FIGURES} figures at most. Remove one first.")
    made = ImpactFigure(
        incident_id=incident.id,
        figure=figure,
        meaning=meaning,
        added_by=current.actor().person_id,
        created_at=clock.now(),
    )
    session().add(made)
    record(FIGURE_ADDED, made, ref=incident.ref, figure=made.figure, meaning=made.meaning)
    return made


def remove_figure(incident: Incident, figure_id: UUID) -> None:
    require(permissions.MANAGE, on=incident)
    check_not_closed(incident)
    found = find(ImpactFigure, figure_id, what="figure", lock=True)
    if found.incident_id != incident.id:
        raise NotFound("This figure doesn't exist.")
    if found.removed_at is None:
        found.removed_at = clock.now()
        record(FIGURE_REMOVED, found, ref=incident.ref, figure=found.figure)


def _checked(starts_at: datetime, ends_at: datetime | None) -> tuple[datetime, datetime | None]:
    """Return the times in whole minutes.

    Raise Invalid for a window in the future or shorter than a minute.
    """
    start, end = whole_minute(starts_at), whole_minute(ends_at) if ends_at else None
    now = clock.now()
    if start > now:
        raise Invalid("This time is in the future. Enter when it began.", field="starts_at")
    if end is not None and end > now:
        raise Invalid(
            "This time is in the future. Leave it empty while the impact lasts.", field="ends_at"
        )
    if end is not None and end <= start:
        raise Invalid("The end must be later than the start.", field="ends_at")
    return start, end
