"""The list of incidents: its definition, rows and export."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from governance.assurance.incidents import queries
from governance.assurance.incidents.models import Impact, Incident
from governance.assurance.incidents.queries import ImpactWindow
from governance.assurance.incidents.severities import Severity
from governance.assurance.incidents.severity_queries import severity_names
from governance.assurance.incidents.states import LIVE, NAMES
from governance.foundation.people.aliases import shown_names
from governance.foundation.people.owners import names_among
from governance.kernel.data.db import session
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.pages.list_pages import Choices, Column, Export, Filter, ListPage
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.web.forms import uuid_or_none
from governance.operations.systems import queries as systems

OPEN = "open"
INCIDENTS = ListPage(
    name="incidents",
    title="Incidents",
    noun="incident",
    endpoint="incidents.index",
    search="Search incidents",
    sort="-declared",
    columns=(
        Column(
            "incident",
            "Incident",
            file=(
                "Ref",
                "Title",
            ),
        ),
        Column("severity", "Severity", optional=True),
        Column("state", "State"),
        Column("systems", "AI systems", optional=True),
        Column("lead", "Lead", optional=True),
        Column(
            "impact",
            "Impact",
            optional=True,
            numeric=True,
            file=(
                "Impact (min)",
                "Goes on",
            ),
        ),
        Column("declared", "Declared", sort=True, file=("Declared (UTC)",)),
    ),
    filters=(
        Filter("state", "State", ((OPEN, "Not closed"), *NAMES.items())),
        Filter("severity", "Severity"),
        Filter("system", "AI system", lambda: [(str(k), name) for k, name in systems.choices()]),
    ),
    exports=(Export("csv", "incidents.export"),),
    bulk="incidents.assign_selected",
)


@dataclass(frozen=True, slots=True)
class IncidentLine:
    """A row of the list. `minutes` of impact is None without an impact window."""

    incident: Incident
    severity: Severity
    systems: Sequence[str]
    minutes: int | None
    goes_on: bool
    lead: str | None


def severity_choices() -> list[tuple[str, str]]:
    return [(str(each.level), each.name) for each in severity_names().values()]


def incidents_page(
    criteria: Mapping[str, str],
    *,
    newest_first: bool = True,
    after: str | None,
    size: int,
    leads: Choices = (),
) -> Keyset:
    """Return a page of IncidentLine, in five statements whatever its length.

    `leads` are the lead choices that the page offers. Their names aren't read again.
    """
    query = select(Incident).where(*_conditions(criteria))
    found = keyset(
        query,
        Incident.declared_at,
        Incident.id,
        after=after,
        size=size,
        descending=newest_first,
    )
    return Keyset(_lines(found.rows, leads), found.next, found.size)


def _lines(rows: Sequence[Incident], leads: Choices) -> list[IncidentLine]:
    impacts = queries.impacts_of([each.id for each in rows])
    ids = [each.lead_id for each in rows]
    names, people = severity_names(), names_among(ids, leads) if leads else shown_names(ids)
    return [
        _line(
            each,
            impacts[each.id],
            names[each.severity],
            people.get(each.lead_id) if each.lead_id else None,
        )
        for each in rows
    ]


def _line(
    each: Incident, windows: Sequence[ImpactWindow], severity: Severity, lead: str | None
) -> IncidentLine:
    return IncidentLine(
        each,
        severity,
        sorted({w.system.key for w in windows}),
        queries.impact_minutes(windows) if windows else None,
        any(w.impact.ends_at is None for w in windows),
        lead,
    )


def count(criteria: Mapping[str, str]) -> int:
    """Count the incidents that match the filters."""
    query: Select[int] = select(func.count()).select_from(Incident).where(*_conditions(criteria))
    return session().scalar(query) or 0


def _conditions(criteria: Mapping[str, str]) -> list[ColumnElement[bool]]:
    i = Incident
    found: list[ColumnElement[bool]] = []
    if state := criteria.get("state"):
        found.append(i.state.in_(LIVE) if state == OPEN else i.state == state)
    if severity := criteria.get("severity"):
        found.append(i.severity == (int(severity) if severity in {"1", "2", "3", "4"} else 0))
    if system := criteria.get("system"):
        found.append(_touched(uuid_or_none(system) or UUID(int=0)))
    if q := criteria.get("q"):
        found.append(
            or_(i.ref.icontains(q, autoescape=True), i.title.icontains(q, autoescape=True))
        )
    return found


def _touched(system_id: UUID) -> ColumnElement[bool]:
    return exists().where(
        Impact.incident_id == Incident.id,
        Impact.removed_at.is_(None),
        Impact.system_id == system_id,
    )


CSV_HEAD = (
    "Ref",
    "Title",
    "Severity",
    "State",
    "AI systems",
    "Lead",
    "Impact (min)",
    "Goes on",
    "Detected (UTC)",
    "Aware (UTC)",
    "Declared (UTC)",
    "Identified (UTC)",
    "Monitoring (UTC)",
    "Resolved (UTC)",
    "Closed (UTC)",
)
TIMES = (
    "detected_at",
    "aware_at",
    "declared_at",
    "identified_at",
    "monitoring_at",
    "resolved_at",
    "closed_at",
)


def csv_cells(line: IncidentLine) -> Sequence[Cell]:
    """Return a row of the export. A time that hasn't been reached is empty."""
    each = line.incident
    times = (getattr(each, name) for name in TIMES)
    return (
        each.ref,
        each.title,
        line.severity.name,
        NAMES[each.state],
        ", ".join(line.systems),
        line.lead,
        line.minutes,
        "yes" if line.goes_on else "no",
        *(f"{at:%Y-%m-%d %H:%M:%S}" if at else None for at in times),
    )
