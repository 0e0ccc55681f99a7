"""Queries for customer updates, and the facts that prefill a draft."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.incidents import queries, severity_queries
from governance.assurance.incidents.drafts import DraftFacts
from governance.assurance.incidents.models import (
    CustomerUpdate,
    Incident,
    StatusContact,
)
from governance.assurance.incidents.queries import ImpactWindow
from governance.assurance.incidents.timeline import TimelineEntry
from governance.foundation.people.owners import name_of
from governance.kernel import current
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows, one_of
from governance.kernel.errors import NotFound
from governance.kernel.formatting import moment, short

APPROVAL = "customer_update"  # The kind of approval.
TOLD = frozenset(
    {"incident.declared", "incident.advanced", "incident.reopened", "incident.update.sent"}
)
UPDATES = Rows(
    CustomerUpdate,
    lambda m: one_of(m.incident_id, "incident_ids"),
    lambda m: (m.number.desc(),),
)
CONTACTS = Rows(StatusContact, lambda m: m.removed_at.is_(None), lambda m: (m.name, m.id))


def updates(incident_id: UUID) -> Sequence[CustomerUpdate]:
    """Return the updates of an incident, newest first."""
    return UPDATES.read(incident_ids=(incident_id,))


def update_of(incident_id: UUID, update_id: UUID, *, lock: bool = False) -> CustomerUpdate:
    """Return the update. Raise NotFound if it is of another incident."""
    found = find(CustomerUpdate, update_id, what="customer update", lock=lock)
    if found.incident_id != incident_id:
        raise NotFound("This customer update doesn't exist.")
    return found


def next_number(incident_id: UUID) -> int:
    query = select(func.max(CustomerUpdate.number)).where(CustomerUpdate.incident_id == incident_id)
    return (session().scalar(query) or 0) + 1


def contacts() -> Sequence[StatusContact]:
    """Return the contacts, who get updates and may open the status page, by name."""
    return CONTACTS.read()


def opened_by(update: CustomerUpdate) -> int:
    """Count the contacts who got the update and opened the status page since it was sent."""
    query = select(func.count()).where(
        StatusContact.created_at <= update.sent_at, StatusContact.read_at >= update.sent_at
    )
    return session().scalar(query) or 0


def draft_facts(
    incident: Incident,
    impacts: Sequence[ImpactWindow],
    entries: Sequence[TimelineEntry] = (),
) -> DraftFacts:
    """Return the facts for a draft, with times in the tenant's zone."""
    severity = severity_queries.severity_names()[incident.severity]
    reviewed = queries.review(incident.id)
    return DraftFacts(
        ref=incident.ref,
        title=incident.title,
        summary=incident.summary,
        severity=severity.name,
        state=incident.state,
        tenant=current.actor().tenant_name,
        systems=sorted({each.system.name for each in impacts}),
        impact=[_window_text(each) for each in impacts],
        impact_goes_on=any(each.impact.ends_at is None for each in impacts),
        figures=[(each.figure, each.meaning) for each in queries.figures(incident.id)],
        aware_at=moment(incident.aware_at),
        declared_at=moment(incident.declared_at),
        resolved_at=moment(incident.resolved_at) if incident.resolved_at else "",
        timeline=[(short(each.at), _line(each)) for each in reversed(entries) if _is_told(each)],
        contact=name_of(incident.communications_id or incident.lead_id)
        if incident.communications_id or incident.lead_id
        else "",
        cause=reviewed.factors if reviewed else "",
    )


def _is_told(entry: TimelineEntry) -> bool:
    """Check whether a draft lists the entry: what was done, without notes and internal changes."""
    own = entry.action.startswith("incident.")
    return not entry.is_note and (not own or entry.action in TOLD)


def _window_text(each: ImpactWindow) -> str:
    ends = f" to {short(each.impact.ends_at)}" if each.impact.ends_at else " on"
    return f"{each.system.name} was affected from {short(each.impact.starts_at)}{ends}"


def _line(entry: TimelineEntry) -> str:
    return f"{entry.who} {entry.says}" + (f" ({entry.meta})" if entry.meta else "")
