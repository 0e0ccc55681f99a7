"""OWASP risks that each AI system's runs tested, with dates.

    tested(system_ids, risks)       the newest run of each system that tested a risk
    systems_tested(risks, since)    how many active systems tested each risk since then

A run tests a risk when a measure that names it evaluated something, passed or not. A failed run
and a withdrawn version test nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.data.db import session
from governance.kernel.formatting import day_of_year, plural
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.evaluations.coverage.owasp import OwaspEdition
from governance.operations.evaluations.models import (
    EvaluationRun,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.systems.models import AISystem

RECENT = timedelta(days=30)
BROAD, NARROW = 2, 1  # Systems for a broadly or narrowly tested risk


@dataclass(frozen=True, slots=True)
class RiskCell:
    """The latest test of a risk by a system."""

    ran_at: datetime | None
    now: datetime

    @property
    def state(self) -> tuple[str, str]:
        """The kind and word that c.state takes."""
        if self.ran_at is None:
            return "none", "Never"
        if self.ran_at >= self.now - RECENT:
            return "ok", day_of_year(self.ran_at)
        return "due", day_of_year(self.ran_at)

    @property
    def words(self) -> str:
        """The state in a sentence."""
        return {"ok": "tested within 30 days", "due": "tested more than 30 days ago"}.get(
            self.state[0], "never tested"
        )


@dataclass(frozen=True, slots=True)
class RiskCount:
    """The number of AI systems that tested a risk in 30 days."""

    risk: str
    name: str
    systems: int
    of: int

    @property
    def number(self) -> str:
        """The rank in its list: "01"."""
        return self.risk[3:5]

    @property
    def level(self) -> int:
        """One of the five levels of heat maps: none, one system, several, all."""
        if not self.systems:
            return 0
        if self.systems >= self.of:
            return 4
        return 3 if self.systems >= BROAD else 1

    @property
    def words(self) -> str:
        return f"{self.risk} {self.name}: {self.systems} of {plural(self.of, 'AI system')}"


def title_of(counts: Sequence[RiskCount]) -> str:
    """Return the conclusion: how many risks are tested, and in how many systems."""
    least = BROAD if any(each.of >= BROAD for each in counts) else NARROW
    tested = sum(each.systems >= least for each in counts)
    where = "in two systems or more" if least == BROAD else "in 30 days"
    return f"{tested} of {len(counts)} OWASP risks are tested {where}"


def counts_of(edition: OwaspEdition, tested_in: Mapping[str, int], of: int) -> list[RiskCount]:
    """Return a count for each risk of the edition, in its order."""
    return [
        RiskCount(risk, name, tested_in.get(risk, 0), of) for risk, name in edition.risks.items()
    ]


def systems(*, after: str | None = None, size: int = 25) -> Keyset:
    """Return a page of the active AI systems by slug, including those never evaluated."""
    query = select(AISystem).where(AISystem.retired_at.is_(None))
    return keyset(query, AISystem.key, after=after, size=size)


def tested(system_ids: Collection[UUID], edition: OwaspEdition) -> dict[tuple[UUID, str], datetime]:
    """Return when each of these systems last tested each risk. Runs one statement."""
    named = _named(edition).where(EvaluationRun.system_id.in_(system_ids)).subquery()
    query = select(named.c.system_id, named.c.risk, func.max(named.c.ran_at).label("ran_at"))
    rows = session().execute(query.group_by(named.c.system_id, named.c.risk))
    return {(row.system_id, row.risk): row.ran_at for row in rows}


def systems_tested(edition: OwaspEdition, since: datetime) -> dict[str, int]:
    """Return how many active AI systems tested each risk since then. Runs one statement."""
    named = (
        _named(edition)
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
        .where(EvaluationRun.ran_at >= since, AISystem.retired_at.is_(None))
        .subquery()
    )
    query = select(named.c.risk, func.count(named.c.system_id.distinct()).label("systems"))
    return {row.risk: row.systems for row in session().execute(query.group_by(named.c.risk))}


def _named(edition: OwaspEdition) -> Select[Any]:
    """Select a row for each risk that a result's measure names."""
    return (
        select(
            EvaluationRun.system_id,
            EvaluationRun.ran_at,
            func.unnest(SuiteMeasure.risks).label("risk"),
        )
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(MeasureResult, MeasureResult.run_id == EvaluationRun.id)
        .join(SuiteMeasure, SuiteMeasure.id == MeasureResult.measure_id)
        .where(
            EvaluationRun.state == "judged",
            EvaluationRun.outcome == "completed",
            SuiteVersion.withdrawn_at.is_(None),
            MeasureResult.n > 0,
            SuiteMeasure.risks.overlap(list(edition.risks)),
        )
    )
