"""Queries of incidents for charts, exports and service statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from governance.assurance.incidents import deadlines
from governance.assurance.incidents.models import Incident
from governance.assurance.incidents.response_times import MONTHS, IncidentTimes
from governance.kernel import clock, formatting
from governance.kernel.data.db import session
from governance.kernel.intervals import Span
from governance.kernel.months import Month

MAX_CHARTED = 5000


def months() -> list[Month]:
    """Return the months of the charts, oldest first. The last one is the current month."""
    today = clock.now().astimezone(formatting.tenant_zone())
    present = Month(today.year, today.month)
    return [present.plus(n - MONTHS + 1) for n in range(MONTHS)]


def incident_times() -> list[IncidentTimes]:
    """Return the times of the incidents declared in the months of the charts, in one statement."""
    first = str(months()[0])
    zone = formatting.tenant_zone()
    query = (
        select(Incident)
        .where(Incident.declared_at >= clock.now() - timedelta(days=31 * (MONTHS + 1)))
        .order_by(Incident.declared_at.desc())
        .limit(MAX_CHARTED)
    )
    rows = session().scalars(query).all()
    return [
        IncidentTimes(
            each.severity,
            f"{local:%Y-%m}",
            each.detected_at,
            each.declared_at,
            each.monitoring_at,
            each.resolved_at,
        )
        for each in rows
        if f"{(local := each.declared_at.astimezone(zone)):%Y-%m}" >= first
    ]


@dataclass(frozen=True, slots=True)
class SupportResult:
    """Incidents of one severity, and how many of them met every support deadline so far."""

    count: int = 0
    in_time: int = 0


def support_results(span: Span) -> Mapping[int, SupportResult]:
    """Return the result for each severity, for incidents declared in the span with a support clock.

    A clock that still runs is in time until its deadline passes. After that, an unfinished incident
    is late.
    """
    query = select(Incident).where(
        Incident.declared_at >= span.start, Incident.declared_at < span.end
    )
    rows: Sequence[Incident] = session().scalars(query).all()
    clocks = deadlines.clocks_of_many(rows)
    found: dict[int, SupportResult] = {}
    for each in rows:
        support = [c for c in clocks[each.id] if c.kind == "support"]
        if support:
            old = found.get(each.severity, SupportResult())
            kept = not any(c.is_red for c in support)
            found[each.severity] = SupportResult(old.count + 1, old.in_time + kept)
    return found
