"""Queries for incidents: one, those of a span, and their parts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true

from governance.assurance.incidents import statistics_queries
from governance.assurance.incidents.models import (
    FollowUp,
    Impact,
    ImpactFigure,
    Incident,
    IncidentNote,
    IncidentReview,
    IncidentSuggestion,
)
from governance.assurance.incidents.states import LIVE
from governance.kernel import clock
from governance.kernel.data.db import find, find_several, session
from governance.kernel.data.selects import Rows, one_of, read_rows
from governance.kernel.errors import NotFound
from governance.kernel.intervals import Span, union
from governance.kernel.safety.visibility_scope import limits
from governance.operations.switches.models import Stop
from governance.operations.systems.models import AISystem


def check_sees_everything() -> None:
    """Raise NotFound for an auditor whose engagement is limited in scope."""
    if limits() is not None:
        raise NotFound("This page covers all AI systems. Your engagement doesn't include them all.")


def incident(incident_id: UUID, *, lock: bool = False) -> Incident:
    check_sees_everything()
    return find(Incident, incident_id, what="incident", lock=lock)


def find_incidents(ids: Collection[UUID], *, lock: bool = False) -> Sequence[Incident]:
    """Return the existing incidents with these ids, by ref. `lock` locks the rows."""
    check_sees_everything()
    return find_several(Incident, ids, order=Incident.ref, lock=lock)


def incident_if_any(incident_id: UUID) -> Incident | None:
    return session().scalars(select(Incident).where(Incident.id == incident_id)).one_or_none()


@dataclass(frozen=True, slots=True)
class ImpactWindow:
    """An impact window with its system."""

    impact: Impact
    system: AISystem


IMPACTS = (
    Rows(
        Impact,
        lambda m: and_(one_of(m.incident_id, "incident_ids"), m.removed_at.is_(None)),
        lambda m: (m.starts_at, m.id),
    ),
    Rows(
        AISystem,
        lambda m: exists().where(
            Impact.system_id == m.id,
            one_of(Impact.incident_id, "incident_ids"),
            Impact.removed_at.is_(None),
        ),
        lambda m: (m.key,),
    ),
)


def impacts_of(incident_ids: Collection[UUID]) -> dict[UUID, list[ImpactWindow]]:
    """Return the impact windows of each incident, earliest first, in one statement."""
    found: dict[UUID, list[ImpactWindow]] = {each: [] for each in incident_ids}
    impacts, touched = read_rows(*IMPACTS, incident_ids=tuple(found))
    systems = {each.id: (place, each) for place, each in enumerate(touched)}
    for impact in sorted(impacts, key=lambda i: (i.starts_at, systems[i.system_id][0])):
        found[impact.incident_id].append(ImpactWindow(impact, systems[impact.system_id][1]))
    return found


def impact_of(incident_id: UUID, impact_id: UUID) -> Impact:
    """Return the impact window. Raise NotFound if it was removed or is of another incident."""
    found = find(Impact, impact_id, what="impact window")
    if found.incident_id != incident_id or found.removed_at is not None:
        raise NotFound("This impact window doesn't exist.")
    return found


def impact_minutes(windows: Sequence[ImpactWindow]) -> int:
    """Return the minutes of impact. Overlaps count once; an open window counts until now."""
    now = clock.now()
    return sum(each.minutes for each in union(span_of(w.impact, now) for w in windows))


def span_of(impact: Impact, now: datetime) -> Span:
    """Return the span of an impact window. An open one ends now."""
    return Span(impact.starts_at, max(impact.starts_at, impact.ends_at or now))


# ---- for features above and below


@dataclass(frozen=True, slots=True)
class IncidentSpan:
    """An incident and the minutes in which it affected systems.

    `end` is None while it continues. `detected_at` and `resolved_at` bound an incident without an
    impact window.
    """

    incident_id: UUID
    ref: str
    title: str
    severity: int
    state: str
    system_id: UUID | None
    start: datetime
    end: datetime | None


def incidents_in(span: Span, system_id: UUID | None = None) -> list[IncidentSpan]:
    """Return the impact windows that overlap the span, earliest first; of one system or of all.

    An open window overlaps everything after its start. An incident without an impact window is
    listed from its detection to its resolution, but not if `system_id` is given.
    """
    query = (
        select(Incident, Impact)
        .join(Impact, and_(Impact.incident_id == Incident.id, Impact.removed_at.is_(None)))
        .where(
            Impact.starts_at < span.end, or_(Impact.ends_at.is_(None), Impact.ends_at > span.start)
        )
        .order_by(Impact.starts_at, Incident.ref)
    )
    if system_id is not None:
        query = query.where(Impact.system_id == system_id)
    found = [
        _incident_span(each, impact.system_id, impact.starts_at, impact.ends_at)
        for each, impact in session().execute(query)
    ]
    if system_id is not None:
        return found
    bare = select(Incident).where(
        ~_has_impact(),
        Incident.detected_at < span.end,
        or_(Incident.resolved_at.is_(None), Incident.resolved_at > span.start),
    )
    found += [
        _incident_span(each, None, each.detected_at, each.resolved_at)
        for each in session().scalars(bare.order_by(Incident.detected_at))
    ]
    return sorted(found, key=lambda each: (each.start, each.ref))


def _incident_span(
    of: Incident, system_id: UUID | None, start: datetime, end: datetime | None
) -> IncidentSpan:
    return IncidentSpan(of.id, of.ref, of.title, of.severity, of.state, system_id, start, end)


def _has_impact() -> ColumnElement[bool]:
    return exists().where(Impact.incident_id == Incident.id, Impact.removed_at.is_(None))


def support_results(span: Span) -> Mapping[int, tuple[int, int]]:
    """Return (incidents, incidents in time so far) by severity level.

    Counts incidents declared in the span whose severity has support times in an agreement. A clock
    that still runs is in time until its deadline passes.
    """
    found = statistics_queries.support_results(span)
    return {level: (each.count, each.in_time) for level, each in found.items()}


def open_incidents() -> Sequence[Incident]:
    """Return the incidents that aren't closed, worst severity first."""
    query = select(Incident).where(Incident.state.in_(LIVE))
    return session().scalars(query.order_by(Incident.severity, Incident.declared_at.desc())).all()


def has_open_incident(system_id: UUID) -> bool:
    """Check whether an unresolved incident affects the system."""
    query = (
        select(Impact.id)
        .join(Incident, Incident.id == Impact.incident_id)
        .where(
            Impact.system_id == system_id,
            Impact.removed_at.is_(None),
            Incident.resolved_at.is_(None),
            Incident.closed_at.is_(None),
        )
    )
    return session().scalar(select(query.exists())) or False


def incident_of_alert(alert_id: UUID) -> Incident | None:
    return session().scalars(select(Incident).where(Incident.alert_id == alert_id)).one_or_none()


def incident_of_stop(stop_id: UUID) -> Incident | None:
    return session().scalars(select(Incident).where(Incident.stop_id == stop_id)).one_or_none()


def incident_around(stop: Stop) -> tuple[UUID | None, str, bool]:
    """Return (id, ref) of the incident that a stop belongs to, and whether it suggests a new one.

    The incident declared from the stop comes first. Otherwise it is the newest incident of the
    stopped system that was open at the time. Runs one statement.
    """
    mine = Incident.stop_id == stop.id
    touched = exists().where(
        Impact.tenant_id == Incident.tenant_id,
        Impact.incident_id == Incident.id,
        Impact.removed_at.is_(None),
        Impact.system_id == stop.system_id,
    )
    was_open = and_(
        Incident.declared_at <= stop.created_at,
        or_(Incident.resolved_at.is_(None), Incident.resolved_at > stop.created_at),
    )
    found = (
        select(Incident.id, Incident.ref)
        .where(or_(mine, and_(touched, was_open)))
        .order_by(func.coalesce(mine, false()).desc(), Incident.declared_at.desc())
        .limit(1)
        .subquery("around")
    )
    suggested = exists().where(
        IncidentSuggestion.stop_id == stop.id, IncidentSuggestion.settled_at.is_(None)
    )
    asked = select(suggested.label("suggested")).subquery("asked")
    query = select(found.c.id, found.c.ref, asked.c.suggested)
    row = session().execute(query.select_from(asked.outerjoin(found, true()))).one()
    return row[0], row[1] or "", row[2]


def count_open() -> int:
    return session().scalar(select(func.count()).where(Incident.state.in_(LIVE))) or 0


# ---- the parts of one


NOTES = Rows(
    IncidentNote,
    lambda m: one_of(m.incident_id, "incident_ids"),
    lambda m: (m.created_at, m.id),
)
FIGURES = Rows(
    ImpactFigure,
    lambda m: and_(one_of(m.incident_id, "incident_ids"), m.removed_at.is_(None)),
    lambda m: (m.created_at, m.id),
)
FOLLOW_UPS = Rows(
    FollowUp,
    lambda m: one_of(m.incident_id, "incident_ids"),
    lambda m: (m.done_at.is_not(None), m.due_on, m.id),
)
REVIEW = Rows(IncidentReview, lambda m: one_of(m.incident_id, "incident_ids"), lambda m: (m.id,))


def notes(incident_id: UUID) -> Sequence[IncidentNote]:
    return NOTES.read(incident_ids=(incident_id,))


def figures(incident_id: UUID) -> Sequence[ImpactFigure]:
    return FIGURES.read(incident_ids=(incident_id,))


def follow_ups(incident_id: UUID) -> Sequence[FollowUp]:
    """Return the actions after an incident: open ones first, by due date."""
    return FOLLOW_UPS.read(incident_ids=(incident_id,))


def review(incident_id: UUID, *, lock: bool = False) -> IncidentReview | None:
    if lock:
        query = select(IncidentReview).where(IncidentReview.incident_id == incident_id)
        return session().scalars(query.with_for_update()).one_or_none()
    return next(iter(REVIEW.read(incident_ids=(incident_id,))), None)


def suggestion(stop_id: UUID, *, lock: bool = False) -> IncidentSuggestion | None:
    query = select(IncidentSuggestion).where(IncidentSuggestion.stop_id == stop_id)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()
