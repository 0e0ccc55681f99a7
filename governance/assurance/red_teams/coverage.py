"""Coverage of OWASP and MITRE ATLAS ids by red teams, and the runs that a form can link.

tried_by_red_team(ids)   the number of tried scenarios and of all scenarios, by red team
covered(ids)             each id of the scenarios: how often it was tried, and the outcomes
runs_of(red_team_id)     the runs that count as attempts
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from governance.assurance.red_teams import catalogue, queries
from governance.assurance.red_teams.models import RedTeamRun
from governance.assurance.red_teams.queries import Tried
from governance.kernel.data.db import session
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)

MAX_CHOICES = 200


@dataclass(frozen=True, slots=True)
class CoveredRisk:
    """A risk id that scenarios name. `never` lists the titles of scenarios that were never tried."""

    risk: str
    tried: Tried
    never: Sequence[str]

    @property
    def name(self) -> str:
        return catalogue.NAMES.get(self.risk, "")

    @property
    def list_name(self) -> str:
        return catalogue.list_of(self.risk)

    @property
    def state(self) -> tuple[str, str]:
        """Return the state as the template macro `c.state` expects it."""
        if not self.tried.total:
            return "none", "Never tried"
        if self.tried.broke:
            return "bad", "Broke through"
        return ("due", "Unclear") if not self.tried.held else ("ok", "Held")


@dataclass(frozen=True, slots=True)
class CountedRun:
    """A run that counts as attempts of a scenario."""

    link: RedTeamRun
    run: EvaluationRun
    measure: str
    tried: Tried


def tried_by_red_team(red_team_ids: tuple[UUID, ...]) -> Mapping[UUID, tuple[int, int]]:
    """Return (tried scenarios, all scenarios) by red team."""
    if not red_team_ids:
        return {}
    counts = queries.scenario_counts(red_team_ids)
    found: dict[UUID, tuple[int, int]] = dict.fromkeys(red_team_ids, (0, 0))
    for each in queries.scenarios(red_team_ids):
        tried, of = found[each.red_team_id]
        found[each.red_team_id] = (tried + (each.id in counts), of + 1)
    return found


def covered(red_team_ids: tuple[UUID, ...]) -> list[CoveredRisk]:
    """Return each risk id that these red teams name, in the order of the lists."""
    if not red_team_ids:
        return []
    counts = queries.scenario_counts(red_team_ids)
    tried: dict[str, Tried] = defaultdict(Tried)
    never: dict[str, list[str]] = defaultdict(list)
    for each in queries.scenarios(red_team_ids):
        tried[each.risk] += counts.get(each.id, Tried())
        if each.id not in counts:
            never[each.risk].append(each.title)
    return [
        CoveredRisk(risk, tried[risk], never[risk]) for risk in catalogue.NAMES if risk in tried
    ]


def runs_of(red_team_id: UUID) -> list[CountedRun]:
    return [
        CountedRun(link, run, measure.name, queries.counted_attempts(run, result, measure))
        for link, run, result, measure in queries.linked_runs((red_team_id,))
    ]


def run_choices(system_id: UUID) -> list[tuple[str, str]]:
    """Return the rates of cases from the newest completed runs of a system, as form choices."""
    r = EvaluationRun
    query = (
        select(r.id, r.number, r.tool, r.release, EvaluationSuite.name, SuiteMeasure.key)
        .add_columns(SuiteMeasure.name.label("measure"))
        .join(MeasureResult, MeasureResult.run_id == r.id)
        .join(SuiteMeasure, SuiteMeasure.id == MeasureResult.measure_id)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .where(
            r.system_id == system_id,
            r.state == "judged",
            r.outcome == "completed",
            SuiteVersion.withdrawn_at.is_(None),
            SuiteMeasure.kind == "rate",
            MeasureResult.n > 0,
        )
        .order_by(r.number.desc(), SuiteMeasure.position)
        .limit(MAX_CHOICES)
    )
    return [
        (
            f"{row.id} {row.key}",
            f"Run {row.number:,} · {row.name} · {row.measure} · release {row.release}"
            + (f" · {row.tool}" if row.tool else ""),
        )
        for row in session().execute(query)
    ]


def measure_choices() -> list[tuple[str, str]]:
    """Return the pass/fail measures of all published versions of live suites, as form choices."""
    query = (
        select(SuiteVersion.id, SuiteVersion.number, EvaluationSuite.name, SuiteMeasure.key)
        .add_columns(SuiteMeasure.name.label("measure"))
        .join(SuiteVersion, SuiteVersion.id == SuiteMeasure.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .where(
            SuiteVersion.published_at.is_not(None),
            SuiteVersion.withdrawn_at.is_(None),
            EvaluationSuite.retired_at.is_(None),
            SuiteMeasure.kind == "rate",
        )
        .order_by(EvaluationSuite.name, SuiteVersion.number.desc(), SuiteMeasure.position)
        .limit(MAX_CHOICES)
    )
    return [
        (f"{row.id} {row.key}", f"{row.name} v{row.number} · {row.measure}")
        for row in session().execute(query)
    ]
