"""Freeze and download populations. A frozen population never changes."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.collectors import queries as collectors
from governance.assurance.controls.models import Control
from governance.assurance.testing import population_queries
from governance.assurance.testing.models import (
    Population,
)
from governance.assurance.testing.population_import import PopulationRows, check_rows
from governance.assurance.testing.sampling import (
    population_digest,
)
from governance.assurance.testing.text_fields import MAX_TEXT_LENGTH, require_text
from governance.foundation.audit import personal_field_encryption
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid

FROZEN = action(
    "population.frozen",
    "froze a population",
    target="Population",
    activity="create",
    severity="informational",
    fields="control key source period_from period_to run_at row_count sha256",
    personal="title",
)
DOWNLOADED = action(
    "population.downloaded",
    "downloaded a population",
    target="Population",
    activity="read",
    severity="low",
    fields="row_count sha256",
)


def freeze_population(
    control: Control,
    *,
    key: str,
    title: str,
    query: str,
    parameters: Mapping[str, Any],
    rows: PopulationRows,
    period_from: date,
    period_to: date,
    run_at: datetime,
    run_by: str,
    source: str,
) -> Population:
    """Store a population as it is now; it can't be changed afterwards.

    Idempotent for the same rows, query and period: it returns the existing population. Raise
    Invalid for a wrong period, a run in the future or an empty text.
    """
    _check_period(period_from, period_to, run_at)
    require_text(query, "query", "Enter the exact query or report that produced the list.")
    require_text(title, "title", "Enter what the list contains, for example production changes.")
    require_text(run_by, "run_by", "Enter the system or person that ran the query.")
    lock_tenant(f"populations of {control.id}")
    sha256 = population_digest(rows.rows)
    if (twin := _same_population(control.id, key, period_from, period_to, sha256)) is not None:
        return twin
    population = Population(
        control_id=control.id,
        key=key[:160],
        title=title.strip()[:200],
        source=source,
        query=query.strip()[: MAX_TEXT_LENGTH * 2],
        parameters=dict(parameters),
        period_from=period_from,
        period_to=period_to,
        run_at=run_at,
        run_by=run_by.strip()[:160],
        frozen_by=current.person_id(),
        id_column=rows.id_column,
        date_column=rows.date_column,
        by_month=dict(rows.by_month),
        row_count=len(rows.rows),
        sha256=sha256,
        rows=list(rows.rows),
        created_at=clock.now(),
    )
    session().add(population)
    record(
        FROZEN,
        population,
        control=control.ref,
        key=population.key,
        source=source,
        period_from=period_from,
        period_to=period_to,
        run_at=run_at,
        row_count=population.row_count,
        sha256=sha256,
        title=population.title,
    )
    return population


def freeze_collected(control: Control, key: str, period_from: date, period_to: date) -> Population:
    """Freeze what the collector's query finds now."""
    if key not in {k for k, _ in population_queries.collector_choices(control.ref)}:
        raise Invalid(
            "Choose a collector that provides a population for this control.", field="key"
        )
    found = collectors.population(key, period_from, period_to)
    rows = check_rows(found.rows, found.title)
    return freeze_population(
        control,
        key=found.key,
        title=found.title,
        query=found.query,
        rows=rows,
        period_from=period_from,
        period_to=period_to,
        parameters={
            **found.parameters,
            "time zone": "UTC",
            "SHA-256 of the collector's table": found.sha256,
        },
        run_at=found.run_at,
        run_by=found.run_by,
        source="collector",
    )


def freeze_versions(control: Control, period_from: date, period_to: date) -> Population:
    """Freeze the accepted versions of the control's evidence.

    For controls that produce a version each time they are performed.
    """
    rows = check_rows(
        population_queries.evidence_version_rows(control.id, period_from, period_to),
        "The evidence of this control",
    )
    return freeze_population(
        control,
        key="evidence",
        title=f"Accepted evidence of {control.ref}",
        query=EVIDENCE_VERSIONS_QUERY,
        rows=rows,
        period_from=period_from,
        period_to=period_to,
        parameters={
            "control": control.ref,
            "from": period_from.isoformat(),
            "to": period_to.isoformat(),
            "time zone": "UTC",
        },
        run_at=clock.now(),
        run_by=(
            f"Meridian, for person {personal_field_encryption.pseudonym(current.person_id())[:8]}"
        ),
        source="evidence",
    )


def record_download(population: Population) -> None:
    """Record that the acting person downloads the whole population."""
    record(DOWNLOADED, population, row_count=population.row_count, sha256=population.sha256)


EVIDENCE_VERSIONS_QUERY = (
    "accepted evidence versions that are linked to the control and whose covered period ends within"
    " the parameters, excluding versions whose file was deleted, is missing or is corrupted; sorted"
    " by end date, reference and version number"
)


def _same_population(
    control_id: UUID, key: str, first: date, last: date, sha256: str
) -> Population | None:
    """Return the newest population of this query and period, if it has the same rows."""
    query = select(Population).where(
        Population.control_id == control_id,
        Population.key == key,
        Population.period_from == first,
        Population.period_to == last,
    )
    newest = (
        session()
        .scalars(query.order_by(Population.created_at.desc(), Population.id.desc()).limit(1))
        .one_or_none()
    )
    return newest if newest is not None and newest.sha256 == sha256 else None


def _check_period(first: date, last: date, run_at: datetime) -> None:
    if last < first:
        raise Invalid("The period must end on or after its first day.", field="period_to")
    if run_at > clock.now():
        raise Invalid("The run date can't be in the future.", field="run_at")
