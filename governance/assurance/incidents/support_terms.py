"""Support times of an incident's severity by the agreement in force, in business time.

The agreement version in force when the incident was declared applies, even if it changed later. If
several agreements have times for the severity, the one with the lowest number applies.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

from governance.assurance.incidents.clocks import SupportRule, duration_text
from governance.assurance.incidents.models import ClockPause, Incident
from governance.assurance.incidents.severity_queries import severity_names
from governance.kernel import clock
from governance.kernel.intervals import MINUTE, Span, whole_minute
from governance.operations.agreements import business_time
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.business_time import Calendar
from governance.operations.agreements.models import TO_TENANT, AgreementVersion, SupportTerm


def rules_of(
    incidents: Sequence[Incident], pauses: Mapping[UUID, Sequence[ClockPause]]
) -> dict[UUID, SupportRule]:
    """Return the support rule of each incident that has one, by incident."""
    if not incidents:
        return {}
    declared = [whole_minute(each.declared_at) for each in incidents]
    found = agreements.in_force_during(Span(min(declared), max(declared) + MINUTE), TO_TENANT)
    if not found:
        return {}
    names = severity_names()
    versions = {version.id for _agreement, spans in found for _span, version in spans}
    parts = agreements.parts_of(versions)
    rules = {}
    for each, at in zip(incidents, declared, strict=True):
        for agreement, spans in found:
            version = next((v for span, v in spans if span.start <= at < span.end), None)
            terms = parts[version.id].support if version else ()
            term = next((t for t in terms if t.severity == each.severity), None)
            if version is not None and term is not None:
                named = f"{agreement.ref}, {names[each.severity].name}"
                rules[each.id] = _rule(each, version, term, named, pauses.get(each.id, ()))
                break
    return rules


def _rule(
    incident: Incident,
    version: AgreementVersion,
    term: SupportTerm,
    named: str,
    pauses: Sequence[ClockPause],
) -> SupportRule:
    in_hours = term.clock == "business_hours"
    calendar = Calendar.from_json(version.business_hours) if in_hours else None
    start, resolution = incident.declared_at, term.resolution_minutes
    stops = [Span(each.starts_at, each.ends_at or clock.now()) for each in pauses]
    return SupportRule(
        response=_period(term.response_minutes, in_hours=in_hours),
        response_due=business_time.deadline(start, term.response_minutes, calendar),
        resolution=_period(resolution or 0, in_hours=in_hours),
        resolution_due=business_time.deadline(start, resolution, calendar, stops)
        if resolution
        else None,
        terms=f"{named}, {'business hours' if in_hours else 'around the clock'}",
    )


def _period(minutes: int, *, in_hours: bool) -> str:
    """Return "1 h", or "8 business hours" if only business hours count."""
    if in_hours and minutes % 60 == 0:
        hours = minutes // 60
        return "1 business hour" if hours == 1 else f"{hours} business hours"
    return duration_text(timedelta(minutes=minutes))
