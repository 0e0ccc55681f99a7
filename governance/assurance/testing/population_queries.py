"""Queries for the frozen populations of a control, and for lists that can be frozen."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import undefer

from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.evidence.version_queries import counts_as_evidence
from governance.assurance.testing.control_scope import control_in_scope
from governance.assurance.testing.models import (
    Population,
    Sample,
)
from governance.assurance.testing.sampling import (
    population_digest,
)
from governance.foundation.populations.collector import every_collector
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class FrozenPopulation:
    """A population with its number of samples, and whether its query gave the same rows again."""

    population: Population
    samples: int
    rerun: str  # One of "", "same" or "other".


def populations(control_id: UUID) -> list[FrozenPopulation]:
    """Return the populations of a control, newest first, in one statement."""
    drawn = select(func.count()).where(Sample.population_id == Population.id).correlate(Population)
    query = (
        select(Population, drawn.scalar_subquery())
        .where(Population.control_id == control_id)
        .order_by(Population.created_at, Population.id)
    )
    seen: dict[tuple[str, date, date], str] = {}
    found = []
    for row, samples in session().execute(query):
        before = seen.get(which := (row.key, row.period_from, row.period_to))
        found.append(
            FrozenPopulation(
                row,
                samples,
                "" if before is None else "same" if before == row.sha256 else "other",
            )
        )
        seen[which] = row.sha256
    return found[::-1]


def population(population_id: UUID, *, whole: bool = False) -> Population:
    """Return a population in scope. `whole` also reads its rows, in the same statement."""
    query = select(Population).where(Population.id == population_id)
    found = (
        session().scalars(query.options(undefer(Population.rows)) if whole else query).one_or_none()
    )
    if found is None:
        raise NotFound("This population doesn't exist, or you don't have access to it.")
    control_in_scope(found.control_id)
    return found


def is_as_frozen(population: Population) -> bool:
    """Check that the rows still have the SHA-256 that was stored when they were frozen."""
    return (
        len(population.rows) == population.row_count
        and population_digest(population.rows) == population.sha256
    )


def collector_choices(control_ref: str) -> list[tuple[str, str]]:
    """Return (key, title) of the collectors that provide a population for the control."""
    return [(c.key, c.title) for c in every_collector().values() if control_ref in c.controls]


def evidence_version_rows(control_id: UUID, first: date, last: date) -> list[dict[str, Any]]:
    """Return a control's accepted evidence versions that end in the period, as population rows.

    Versions whose file was deleted, is missing or is corrupted are left out.
    """
    query = (
        select(
            Evidence.ref,
            EvidenceVersion.number,
            Evidence.title,
            EvidenceVersion.period_from,
            EvidenceVersion.period_to,
            EvidenceVersion.sha256,
            EvidenceVersion.url,
            EvidenceReview.reviewed_at,
        )
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .join(EvidenceReview, EvidenceReview.version_id == EvidenceVersion.id)
        .join(EvidenceLink, EvidenceLink.evidence_id == Evidence.id)
        .where(
            EvidenceLink.control_id == control_id,
            EvidenceLink.removed_at.is_(None),
            EvidenceReview.decision == "accepted",
            counts_as_evidence(),
            EvidenceVersion.period_to >= first,
            EvidenceVersion.period_to <= last,
        )
        .order_by(EvidenceVersion.period_to, Evidence.ref, EvidenceVersion.number)
    )
    return [
        {
            "id": f"{r.ref} version {r.number}",
            "covers to": r.period_to.isoformat(),
            "covers from": r.period_from.isoformat(),
            "evidence": r.title,
            "sha256 or address": r.sha256 or r.url,
            "accepted": r.reviewed_at.date().isoformat(),
        }
        for r in session().execute(query)
    ]
