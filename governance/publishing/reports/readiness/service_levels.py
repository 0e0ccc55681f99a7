"""Service levels and incidents, as a SOC 2 readiness report freezes them.

read(start, as_of)         plain JSON: objectives at the instant, incidents declared since `start`
title(facts)               the first sentence of the section
attachments(facts)         service-levels.csv and incidents.csv
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select

from governance.assurance.incidents.models import Incident, IncidentReview
from governance.assurance.incidents.severity_queries import severity_names
from governance.kernel.data.db import session
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.pictures.pdf import Attachment
from governance.operations.objectives import queries as objectives
from governance.operations.objectives.figures import exact_percent, percent
from governance.operations.objectives.reading import Reading
from governance.publishing.reports.wording import capital, many, many_digits

PLACES = 3  # Digits of attainment, cut off.
MET, MISSED, UNKNOWN = "met", "missed", "not determinable"
type Facts = Mapping[str, Any]


def read(start: datetime, as_of: datetime) -> dict[str, Any] | None:
    """Read objectives with their attainment, and incidents as known then. None without either."""
    found = [each for each in objectives.active_objectives() if each.created_at <= as_of]
    facts = {
        "objectives": [_objective(each) for each in objectives.readings(found, at=as_of)],
        "incidents": _incidents(start, as_of),
    }
    return facts if facts["objectives"] or facts["incidents"] else None


def _objective(reading: Reading) -> dict[str, Any]:
    objective, attained = reading.objective, reading.score.attained
    coverage = reading.score.coverage
    state = UNKNOWN
    if reading.is_determinable and attained is not None:
        state = MET if attained >= objective.target_share else MISSED
    return {
        "name": objective.name,
        "target": exact_percent(objective.target),
        "from": _day(reading.window.so_far.start),
        "to": _day(reading.at),
        "attained": percent(attained, PLACES) if state != UNKNOWN else None,
        "coverage": percent(coverage if coverage is not None else Fraction(0)),
        "state": state,
    }


def _incidents(start: datetime, as_of: datetime) -> list[dict[str, Any]]:
    query = (
        select(Incident, IncidentReview.closed_at)
        .outerjoin(IncidentReview, IncidentReview.incident_id == Incident.id)
        .where(Incident.declared_at >= start, Incident.declared_at <= as_of)
        .order_by(Incident.declared_at, Incident.id)
    )
    names = severity_names()
    return [
        {
            "ref": row.ref,
            "title": row.title,
            "severity": names[row.severity].name,
            "declared_on": _day(row.declared_at),
            "resolved_on": _known(row.resolved_at, as_of),
            "reviewed_on": _known(reviewed_at, as_of),
        }
        for row, reviewed_at in session().execute(query)
    ]


def _day(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _known(at: datetime | None, as_of: datetime) -> str | None:
    return _day(at) if at is not None and at <= as_of else None


def title(facts: Facts) -> str:
    """Return "Two objectives of 9 missed; four incidents, 1 without a review"."""
    missed = sum(each["state"] == MISSED for each in facts["objectives"])
    total, incidents = len(facts["objectives"]), facts["incidents"]
    open_reviews = sum(each["reviewed_on"] is None for each in incidents)
    levels = f"{many(missed, 'objective')} of {total} missed" if total else "no objective is set"
    if not incidents:
        return capital(f"{levels}; no incident was declared")
    return capital(f"{levels}; {many(len(incidents), 'incident')}, {open_reviews} without a review")


def attachments(facts: Facts | None) -> tuple[Attachment, ...]:
    """Return both tables, or nothing if the report has no such section."""
    if facts is None:
        return ()
    return (
        Attachment(
            "service-levels.csv",
            _csv(
                ("name", "target", "from", "to", "attained", "coverage", "state"),
                facts["objectives"],
            ),
            many_digits(len(facts["objectives"]), "objective"),
        ),
        Attachment(
            "incidents.csv",
            _csv(
                ("ref", "title", "severity", "declared_on", "resolved_on", "reviewed_on"),
                facts["incidents"],
            ),
            many_digits(len(facts["incidents"]), "incident"),
        ),
    )


def _csv(names: tuple[str, ...], rows: list[dict[str, Any]]) -> bytes:
    head = [name.replace("_", " ") for name in names]
    return csv_bytes(head, [[row[name] for name in names] for row in rows])
