"""The data of an incident's page (screen 13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from flask import url_for

from governance.assurance.incidents import (
    clocks,
    deadlines,
    drafts,
    permissions,
    queries,
    review_evidence,
    severity_queries,
    states,
    timeline,
    update_approval,
    update_queries,
)
from governance.assurance.incidents.clocks import Clock, duration_text
from governance.assurance.incidents.models import CustomerUpdate, FollowUp, Incident
from governance.assurance.incidents.queries import ImpactWindow
from governance.assurance.playbooks import queries as playbooks
from governance.foundation.approvals import queries as approvals
from governance.foundation.logbook import permissions as logbook
from governance.foundation.people.aliases import shown_names
from governance.kernel import clock, current, formatting
from governance.kernel.safety.access import allowed, why_not
from governance.kernel.safety.conditions import is_owner

VERBS = {
    "identified": "Mark identified…",
    "monitoring": "Mark monitoring…",
    "resolved": "Mark resolved…",
    "closed": "Close…",
}
CLOCK_KINDS = {
    "met": "ok",
    "late": "bad",
    "missed": "bad",
    "running": "due",
    "open": "due",
    "paused": "open",
    "waiting": "open",
    "off": "open",
}


@dataclass(frozen=True, slots=True)
class StateStep:
    """A step of the state ladder. `kind` is done, live or empty; `meta` shows since when."""

    name: str
    kind: str
    meta: str


def steps(incident: Incident, found: Sequence[Clock]) -> list[StateStep]:
    """Return the five states with their times and what the next ones need."""
    now, place = clock.now(), states.STATES.index(incident.state)
    entered = [states.entered(incident, each) for each in states.STATES]
    shown = []
    for n, state in enumerate(states.STATES):
        at = entered[n]
        if n < place and at is not None:
            left = next((e for e in entered[n + 1 :] if e is not None), now)
            shown.append(
                StateStep(
                    states.NAMES[state], "done", f"{short_time(at)}, {duration_text(left - at)}"
                )
            )
        elif n == place and at is not None:
            is_over = state in {"resolved", "closed"}
            meta = (
                short_time(at) if is_over else f"since {short_time(at)}, {duration_text(now - at)}"
            )
            shown.append(StateStep(states.NAMES[state], "done" if is_over else "live", meta))
        else:
            shown.append(StateStep(states.NAMES[state], "", _needs(state, found)))
    return shown


def _needs(state: str, found: Sequence[Clock]) -> str:
    if state == "closed":
        return "needs the review"
    due = next((c.due_at for c in found if c.key == "resolution" and not c.is_done), None)
    return f"due {short_time(due)}" if state == "resolved" and due else ""


def short_time(at: datetime) -> str:
    """Return "09:36" for today in the tenant's zone, otherwise "25 Nov, 09:36"."""
    zone = formatting.zone()
    there = at.astimezone(zone)
    if there.date() == clock.now().astimezone(zone).date():
        return formatting.hour(there)
    return f"{formatting.day_of_year(there)}, {formatting.hour(there)}"


@dataclass(frozen=True, slots=True)
class ClockLine:
    """A clock as the sidebar shows it."""

    clock: Clock
    kind: str
    text: str
    note: str
    at: str
    href: str | None
    link: str


def clock_line(incident: Incident, each: Clock) -> ClockLine:
    """Return the text of a clock and its link."""
    href, link = _clock_link(incident, each)
    at = each.done_at or each.due_at
    return ClockLine(
        each,
        CLOCK_KINDS[each.state],
        _clock_text(each),
        _clock_note(each),
        short_time(at) if at and each.state != "off" else "",
        href,
        link,
    )


def _clock_text(each: Clock) -> str:
    now = clock.now()
    if each.kind == "support" and each.done_at is not None:
        took = duration_text(each.done_at - each.started_at)
        return f"met in {took}" if each.state == "met" else f"missed: took {took}"
    if each.state == "late":
        return f"{each.text}, late"
    if each.state == "paused":
        return "paused"
    if each.state == "missed" and each.due_at is not None:
        words = f"{duration_text(now - each.due_at)} past"
        return f"{each.text.rstrip('.')}. Missed, {words}" if each.text else f"missed, {words}"
    if each.state == "running" and each.due_at is not None:
        left = f"{duration_text(each.due_at - now)} left"
        return f"{each.text}, {left}" if each.text else left
    return each.text


def _clock_note(each: Clock) -> str:
    if each.kind == "support":
        return each.note
    if each.state == "off":
        return each.note
    start = f"From awareness, {short_time(each.started_at)}"
    return f"{start}. {each.note}" if each.note else start


def _clock_link(incident: Incident, each: Clock) -> tuple[str | None, str]:
    if not each.regime:
        return None, ""
    if each.stage and each.state not in {"met", "late"}:
        href = url_for(
            "incidents.notice",
            incident_id=incident.id,
            regime_key=each.regime,
            stage_key=each.stage,
        )
        return href, "Draft notice"
    if each.stage:
        return None, ""
    href = url_for("incidents.classify", incident_id=incident.id, regime_key=each.regime)
    if not allowed(permissions.CLASSIFY):
        return None, ""
    return href, "Decide" if each.state in {"open", "missed"} else "Change"


def read(incident_id: UUID) -> Incident:
    """Return the incident, and read the rows of its page in the same statement."""
    return queries.incident(incident_id)


def context(incident: Incident, *, show: str = "") -> dict[str, Any]:
    """Return the template context. `show` filters the timeline: "automatic" or "notes"."""
    impacts = queries.impacts_of([incident.id])[incident.id]
    found = deadlines.clocks_of(incident)
    story = timeline.timeline(incident, impacts)
    updates = update_queries.updates(incident.id)
    drafted = next((each for each in updates if each.state != "sent"), None)
    follow_ups = queries.follow_ups(incident.id)
    following = states.NEXT.get(incident.state)
    return {
        "incident": incident,
        "severity": severity_queries.severity_names()[incident.severity],
        "state_kind": states.STATE_KINDS[incident.state],
        "state_name": states.NAMES[incident.state],
        "steps": steps(incident, found),
        "next_state": following,
        "next_verb": VERBS.get(following or ""),
        "impacts": impacts,
        "impact_minutes": queries.impact_minutes(impacts) if impacts else None,
        "impact_text": impact_text(impacts),
        "figures": queries.figures(incident.id),
        **_clock_context(incident, found),
        "timeline": story,
        "entries": story.only(show),
        "show": show,
        "reads_log": allowed(logbook.VIEW),
        **_update_context(updates, drafted),
        "follow_ups": follow_ups,
        "own_follow_ups": {each.id for each in follow_ups if is_owner(current.actor(), each)},
        "open_follow_ups": sum(each.done_at is None for each in follow_ups),
        "review": queries.review(incident.id),
        "names": shown_names(_people(incident, follow_ups, drafted)),
        "can_manage": why_not(permissions.MANAGE, on=incident) is None,
        "can_draft": why_not(permissions.DRAFT, on=incident) is None,
        "why_not_manage": why_not(permissions.MANAGE, on=incident),
        "runs": playbooks.runs_of(incident.id),
        "playbooks": playbooks.live_playbooks() if incident.state != "closed" else [],
        "controls": review_evidence.supported_controls(),
        "zone": f"{clock.now().astimezone(formatting.zone()):%Z}",
        "short_time": short_time,
    }


def _clock_context(incident: Incident, found: Sequence[Clock]) -> dict[str, Any]:
    coming = clocks.next_due(found)
    return {
        "clocks": [clock_line(incident, each) for each in found],
        "coming": coming,
        "coming_at": short_time(coming.due_at) if coming and coming.due_at else "",
        "pause": deadlines.open_pause(incident.id),
        "has_support": any(each.kind == "support" for each in found),
    }


def _update_context(
    updates: Sequence[CustomerUpdate], drafted: CustomerUpdate | None
) -> dict[str, Any]:
    """Return the last sent update and the open draft."""
    last_sent = next((each for each in updates if each.state == "sent"), None)
    return {
        "updates": updates,
        "drafted": drafted,
        "drafted_paragraphs": drafts.paragraphs(drafted.body) if drafted else [],
        "approval": approvals.open_approval(update_queries.APPROVAL, drafted.id)
        if drafted
        else None,
        "last_sent": last_sent,
        "opened_by": update_queries.opened_by(last_sent) if last_sent else 0,
        "contacts": len(update_queries.contacts()),
        "endpoints": update_approval.endpoints(),
    }


def _people(
    incident: Incident, follow_ups: Sequence[FollowUp], drafted: CustomerUpdate | None
) -> list[UUID | None]:
    """Return the ids of the people that the page names."""
    return [
        incident.declared_by,
        incident.lead_id,
        incident.communications_id,
        incident.scribe_id,
        *(each.owner_id for each in follow_ups),
        *((drafted.edited_by, drafted.drafted_by) if drafted else ()),
    ]


def impact_text(impacts: Sequence[ImpactWindow]) -> str:
    """Return "of impact, 09:14 to 09:42", or a text that the impact continues."""
    if not impacts:
        return "no impact window yet"
    start = min(each.impact.starts_at for each in impacts)
    ends = [each.impact.ends_at for each in impacts]
    if None in ends:
        return f"of impact so far, since {short_time(start)}"
    last = max(each for each in ends if each is not None)
    return f"of impact, {short_time(start)} to {_end_time(start, last)}"


def _end_time(start: datetime, end: datetime) -> str:
    """Return the time, with the day only if it differs from the start's."""
    first, last = start.astimezone(formatting.zone()), end.astimezone(formatting.zone())
    return formatting.hour(last) if first.date() == last.date() else short_time(end)
