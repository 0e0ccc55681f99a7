"""Declare and change incidents: title, severity, roles, state, impact and notes.

declare        by hand, from an alert or from a stop; a repeated request returns the first one
change         changes the title, summary, severity and times
assign_roles   assigns the lead, communications and scribe; can be undone
assign_leads   assigns the lead of several incidents
go_to          moves to the next state, or back to an earlier one with a reason
add_note       adds a note, which never changes afterwards
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from governance.assurance.evidence.reference_numbers import next_ref
from governance.assurance.incidents import payloads, permissions, queries, states
from governance.assurance.incidents.models import (
    Impact,
    Incident,
    IncidentNote,
    IncidentSuggestion,
)
from governance.assurance.incidents.severities import LEVELS
from governance.assurance.incidents.states import STATES
from governance.assurance.incidents.text_fields import (
    MAX_LINE_LENGTH,
    MAX_TITLE_LENGTH,
    optional,
    required,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.foundation.webhooks import actions as webhooks
from governance.kernel import clock, current
from governance.kernel.data.db import find, lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.intervals import whole_minute
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.safety.access import require, why_not
from governance.kernel.work.events import publish
from governance.operations.systems.models import AISystem

DECLARED = action(
    "incident.declared",
    "declared an incident",
    target="Incident",
    activity="create",
    severity="high",
    fields="ref level alert stop systems aware_at",
    personal="title",
    shape="bad",
)
CHANGED = action(
    "incident.changed",
    "changed an incident",
    target="Incident",
    activity="update",
    severity="low",
    fields="ref level aware_at",
    personal="title summary",
)
ROLES_CHANGED = action(
    "incident.roles.changed",
    "changed the roles of an incident",
    target="Incident",
    activity="update",
    severity="informational",
    fields="ref undoes",
    persons="lead communications scribe",
)
ADVANCED = action(
    "incident.advanced",
    "moved an incident to its next state",
    target="Incident",
    activity="update",
    severity="low",
    fields="ref state",
    shape="ok",
)
REOPENED = action(
    "incident.reopened",
    "moved an incident back to an earlier state",
    target="Incident",
    activity="update",
    severity="medium",
    fields="ref state",
    shape="bad",
)
CLOSED = action(
    "incident.closed",
    "closed an incident",
    target="Incident",
    activity="update",
    severity="low",
    fields="ref state",
    shape="ok",
)
NOTED = action(
    "incident.note.added",
    "added a note to an incident",
    target="IncidentNote",
    activity="create",
    severity="informational",
    fields="ref",
)

LOCK = "incidents"  # Taken before an incident is declared.
MAX_EARLIER = timedelta(days=3660)


def declare(
    title: str,
    *,
    severity: int,
    summary: str = "",
    systems: Collection[UUID] = (),
    impact_from: datetime | None = None,
    aware_at: datetime | None = None,
    detected_at: datetime | None = None,
    lead_id: UUID | None = None,
    alert_id: UUID | None = None,
    alert_ref: str = "",
    stop_id: UUID | None = None,
    incident_id: UUID | None = None,
) -> Incident:
    """Declare an incident, or return the existing one of the same alert, stop or `incident_id`.

    The caller chooses `incident_id`, so that a form submitted twice declares one incident.

    Each of `systems` gets an open impact window from `impact_from`, which defaults to the
    detection. The acting person becomes the lead unless another lead is named.
    """
    require(permissions.DECLARE)
    lock_tenant(LOCK)  # A second click must see the first one's incident.
    existing = _declared_already(incident_id, alert_id, stop_id)
    if existing is not None:
        return existing
    now = clock.now()
    aware_at, detected_at = aware_at or now, detected_at or aware_at or now
    _check_times(now, aware_at=aware_at, detected_at=detected_at, impact_from=impact_from)
    _check_severity(severity)
    found = [find(AISystem, each, what="AI system") for each in dict.fromkeys(systems)]
    check_may_own(lead_id)
    made = Incident(
        id=incident_id or uuid7(),
        ref=next_ref(Incident.ref, "INC", width=1),
        title=_title(title),
        summary=optional(summary, "summary"),
        severity=severity,
        declared_by=current.actor().person_id,
        declared_at=now,
        detected_at=min(detected_at, now),
        aware_at=aware_at,
        lead_id=lead_id or current.actor().person_id,
        alert_id=alert_id,
        alert_ref=alert_ref,
        stop_id=stop_id,
        created_at=now,
    )
    session().add(made)
    _record_declared(made, found)
    _open_impacts(made, found, impact_from or made.detected_at)
    if stop_id is not None:
        _settle(queries.suggestion(stop_id, lock=True), made.id)
    webhooks.send(payloads.DECLARED, payloads.of(made))
    session().flush()
    return made


def _declared_already(
    incident_id: UUID | None, alert_id: UUID | None, stop_id: UUID | None
) -> Incident | None:
    return (
        (queries.incident_if_any(incident_id) if incident_id else None)
        or (queries.incident_of_alert(alert_id) if alert_id else None)
        or (queries.incident_of_stop(stop_id) if stop_id else None)
    )


def _record_declared(incident: Incident, systems: Sequence[AISystem]) -> None:
    record(
        DECLARED,
        incident,
        ref=incident.ref,
        level=incident.severity,
        alert=incident.alert_ref or None,
        stop=str(incident.stop_id) if incident.stop_id else None,
        systems=[each.key for each in systems] or None,
        aware_at=incident.aware_at,
        title=incident.title,
    )


def _open_impacts(incident: Incident, systems: Iterable[AISystem], at: datetime) -> None:
    starts_at = whole_minute(at)
    session().add_all(
        Impact(
            incident_id=incident.id,
            system_id=each.id,
            starts_at=starts_at,
            created_at=incident.created_at,
        )
        for each in systems
    )


def _settle(found: IncidentSuggestion | None, incident_id: UUID | None) -> None:
    if found is not None and found.settled_at is None:
        found.settled_at, found.incident_id = clock.now(), incident_id


def _title(text: str) -> str:
    sentence = "Enter a title that says what happened."
    return " ".join(required(text, "title", sentence, limit=MAX_TITLE_LENGTH).split())


def _check_severity(severity: int) -> None:
    if severity not in LEVELS:
        raise Invalid("Choose a severity.", field="severity")


def _check_times(now: datetime, **times: datetime | None) -> None:
    for name, at in times.items():
        if at is not None and at > now:
            raise Invalid("This time is in the future. Enter when it happened.", field=name)
        if at is not None and at < now - MAX_EARLIER:
            raise Invalid("This time is more than ten years ago.", field=name)


# ---- what it says


def check_version(found: Incident, version: int) -> None:
    """Raise Stale if somebody changed the incident since version `version`."""
    if version != found.version:
        raise Stale(
            f"{found.ref} was changed while you were editing. Review the new values, then save"
            " again."
        )


def check_not_closed(found: Incident) -> None:
    if found.state == "closed":
        raise DomainError(f"{found.ref} is closed, so it can't be changed.")


def change(
    found: Incident,
    *,
    version: int,
    title: str,
    summary: str,
    severity: int,
    aware_at: datetime | None = None,
) -> None:
    """Change the title, summary, severity and times. Raise Stale if somebody else saved first."""
    require(permissions.MANAGE, on=found)
    check_not_closed(found)
    check_version(found, version)
    _check_severity(severity)
    _check_times(clock.now(), aware_at=aware_at)
    before = {
        "title": found.title,
        "summary": found.summary,
        "level": found.severity,
        "aware_at": found.aware_at,
    }
    found.title, found.summary = _title(title), optional(summary, "summary")
    found.severity, found.aware_at = severity, aware_at or found.aware_at
    after = {
        "title": found.title,
        "summary": found.summary,
        "level": found.severity,
        "aware_at": found.aware_at,
    }
    if after != before:
        found.version += 1
        record(CHANGED, found, ref=found.ref, before=before, after=after)


def assign_roles(
    found: Incident,
    *,
    version: int,
    lead_id: UUID | None,
    communications_id: UUID | None,
    scribe_id: UUID | None,
    undoes: UUID | None = None,
) -> None:
    """Assign the lead, communications and scribe. Raise Stale if somebody else saved first.

    `undoes` is the id of the audit entry that this change undoes.
    """
    require(permissions.MANAGE, on=found)
    check_not_closed(found)
    check_version(found, version)
    after = {"lead": lead_id, "communications": communications_id, "scribe": scribe_id}
    before = {
        "lead": found.lead_id,
        "communications": found.communications_id,
        "scribe": found.scribe_id,
    }
    for name, person in after.items():
        if person != before[name]:
            check_may_own(person)
    if after == before:
        return
    found.lead_id, found.communications_id, found.scribe_id = lead_id, communications_id, scribe_id
    found.version += 1
    entry = record(ROLES_CHANGED, found, ref=found.ref, before=before, after=after, undoes=undoes)
    changed = [name for name in after if after[name] != before[name]]
    undo.remember(
        "incident.roles",
        found.id,
        entry.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if "lead" in changed and lead_id is not None:
        title, path = f"{found.ref} {found.title}", f"incidents/{found.id}"
        publish(OwnerAssigned(lead_id, title, path, entry.id))


def assign_leads(wanted: Sequence[tuple[UUID, UUID]]) -> None:
    """Assign leads by (incident id, lead id), all or none. Other roles stay the same."""
    by_id = {each.id: each for each in queries.find_incidents([w[0] for w in wanted], lock=True)}
    for incident_id, lead_id in wanted:
        _change_roles(by_id[incident_id], lead_id=lead_id)  # This calls record().


def _change_roles(found: Incident, *, undoes: UUID | None = None, **roles: UUID | None) -> None:
    """Change the given roles only."""
    present = {
        "lead_id": found.lead_id,
        "communications_id": found.communications_id,
        "scribe_id": found.scribe_id,
    }
    assign_roles(found, version=found.version, undoes=undoes, **(present | roles))


def why_not_assigned(found: Incident) -> str | None:
    """Return why the acting person can't change the roles of an incident, or None if they can."""
    if found.state == "closed":
        return f"{found.ref} is closed."
    return why_not(permissions.MANAGE, on=found)


UNDOABLE = {"incident.roles"}


@undo.restores("incident.roles")
def _restore_roles(step: UndoStep) -> None:
    """Restore only the roles that the step changed."""
    found = queries.incident(step.target_id, lock=True)
    if any(undo.plain(getattr(found, f"{name}_id")) != who for name, who in step.after.items()):
        who = last_actor(found.id, ROLES_CHANGED)
        raise Overtaken(f"The roles of {found.ref} {found.title} were changed by {who}.")
    before = {f"{name}_id": undo.id_or_none(person) for name, person in step.before.items()}
    _change_roles(found, undoes=step.entry_id, **before)


# ---- states


def go_to(found: Incident, state: str, *, reason: str = "") -> None:
    """Move the incident to its next state, or back to an earlier one with a reason.

    Raise DomainError if a state is skipped. Closing has its own rules: review_actions.close.
    """
    require(permissions.MANAGE, on=found)
    session().refresh(found, with_for_update={"key_share": True})
    if found.state == state:
        return  # A second click.
    if state == "closed" or state not in STATES or not states.may_follow(found.state, state):
        raise DomainError(
            f"{found.ref} is {states.NAMES[found.state].lower()}, so it can't be"
            f" {states.NAMES.get(state, state).lower()} next. Reload the page."
        )
    goes_back = states.may_return(found.state, state)
    if goes_back:
        sentence = "Enter why the incident goes back to an earlier state."
        reason = required(reason, "reason", sentence, limit=MAX_LINE_LENGTH * 10)
    enter(found, state)
    record(
        REOPENED if goes_back else ADVANCED,
        found,
        ref=found.ref,
        state=state,
        reason=reason or None,
    )
    if state == "resolved":
        webhooks.send(payloads.RESOLVED, payloads.of(found))


def enter(found: Incident, state: str) -> None:
    """Set the state and its time, and clear the times of the states after it."""
    found.state = state
    found.version += 1
    if state != "investigating":
        setattr(found, f"{state}_at", clock.now())
    for later in states.later_than(state):
        setattr(found, f"{later}_at", None)


# ---- notes


def add_note(found: Incident, text: str) -> IncidentNote:
    """Add a note to the timeline. A closed incident still takes notes."""
    require(permissions.NOTE)
    made = IncidentNote(
        incident_id=found.id,
        written_by=current.actor().person_id,
        text=required(text, "text", "Enter a note."),
        created_at=clock.now(),
    )
    session().add(made)
    record(NOTED, made, ref=found.ref)
    return made
