"""Queries for red teams, their attempts and their findings.

red_team(id), finding(id)   one, if the reader may open it
page_of(…)                  a page of red teams with their systems
scenario_counts(…)          how often each scenario was tried, and the outcomes
findings_of(…)              the findings of a red team or of a system
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from sqlalchemy import Row, Select, func, or_, select

from governance.assurance.engagements import queries as engagements
from governance.assurance.red_teams.life_cycle import UNDECIDED
from governance.assurance.red_teams.models import (
    OUTCOMES,
    RedTeam,
    RedTeamAttempt,
    RedTeamFinding,
    RedTeamRun,
    RedTeamScenario,
)
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset, sorted_page
from governance.kernel.safety.visibility_scope import limits
from governance.operations.evaluations.models import (
    EvaluationRun,
    MeasureResult,
    SuiteMeasure,
)
from governance.operations.systems.models import AISystem

SORTS = {"red_team": (RedTeam.number,), "window": (RedTeam.closes_at, RedTeam.id)}
MAX_FINDINGS = 200


@dataclass(frozen=True, slots=True)
class Tried:
    """The number of attempts by outcome."""

    held: int = 0
    broke: int = 0
    unclear: int = 0

    @property
    def total(self) -> int:
        return self.held + self.broke + self.unclear

    def __add__(self, other: "Tried") -> "Tried":
        return Tried(self.held + other.held, self.broke + other.broke, self.unclear + other.unclear)


# ---- red teams


def _seen() -> Select[UUID] | None:
    """Select the ids of the red teams that the reader may open. None means all of them.

    A tester sees the red teams of their open engagements. Other auditors with a limited scope see
    none, because scopes limit controls and red teams have no control.
    """
    if limits() is None:
        return None
    person = current.actor().person_id
    mine = engagements.open_engagement_ids_of(person, clock.now())
    return select(RedTeam.id).where(RedTeam.engagement_id.in_(mine))


def seen_red_teams() -> Select[UUID] | None:
    return _seen()


def seen_findings() -> Select[UUID] | None:
    seen = _seen()
    f = RedTeamFinding
    return None if seen is None else select(f.id).where(f.red_team_id.in_(seen))


def red_team(red_team_id: UUID, *, lock: bool = False) -> RedTeam:
    """Return the red team. Raise NotFound also if the reader isn't one of its testers."""
    found = find(RedTeam, red_team_id, what="red team", lock=lock)
    _check_seen(found)
    return found


def _check_seen(row: RedTeam) -> None:
    seen = _seen()
    if seen is not None and session().scalar(seen.where(RedTeam.id == row.id)) is None:
        raise NotFound("This red team doesn't exist, or you don't have access to it.")


def exists(model: type[Any], row_id: UUID | None) -> bool:
    if row_id is None:
        return False
    return session().scalar(select(model.id).where(model.id == row_id)) is not None


def next_number(model: type[Any], red_team_id: UUID | None = None) -> int:
    """Return the next number in the tenant, or in a red team. The caller holds the lock."""
    query = select(func.max(model.number))
    if red_team_id is not None:
        query = query.where(model.red_team_id == red_team_id)
    return int(session().scalar(query) or 0) + 1


def page_of(
    wanted: Mapping[str, str], *, sort: str = "-red_team", after: str | None = None, size: int = 25
) -> Keyset:
    """Return a page of red teams with their systems. `wanted` may have q, kind and system."""
    query = cast(
        "Select[Any]", select(RedTeam, AISystem).join(AISystem, AISystem.id == RedTeam.system_id)
    )
    if "kind" in wanted:
        query = query.where(RedTeam.kind == wanted["kind"])
    if "system" in wanted:
        query = query.where(AISystem.key == wanted["system"])
    if "q" in wanted:
        texts = (RedTeam.title, RedTeam.release, AISystem.name)
        query = query.where(or_(*(each.icontains(wanted["q"], autoescape=True) for each in texts)))
    if (seen := _seen()) is not None:
        query = query.where(RedTeam.id.in_(seen))
    return sorted_page(query, SORTS, sort, after=after, size=size)


def count() -> int:
    """Count the red teams that the reader may open."""
    query, seen = select(func.count()).select_from(RedTeam), _seen()
    return session().scalar(query if seen is None else query.where(RedTeam.id.in_(seen))) or 0


def red_teams_of(system_id: UUID) -> Sequence[RedTeam]:
    """Return the newest red teams of a system that the reader may open, at most 50."""
    query, seen = select(RedTeam).where(RedTeam.system_id == system_id), _seen()
    if seen is not None:
        query = query.where(RedTeam.id.in_(seen))
    return session().scalars(query.order_by(RedTeam.number.desc()).limit(50)).all()


def system_of(row: RedTeam | RedTeamFinding) -> AISystem:
    return session().scalars(select(AISystem).where(AISystem.id == row.system_id)).one()


# ---- scenarios and attempts


def scenarios(red_team_ids: tuple[UUID, ...]) -> Sequence[RedTeamScenario]:
    """Return the scenarios of these red teams in their order."""
    s = RedTeamScenario
    query = select(s).where(s.red_team_id.in_(red_team_ids)).order_by(s.red_team_id, s.number)
    return session().scalars(query).all()


def scenario(red_team_id: UUID, scenario_id: UUID) -> RedTeamScenario:
    """Return a scenario of this red team. Raise NotFound if it is of another one."""
    found = find(RedTeamScenario, scenario_id, what="scenario")
    if found.red_team_id != red_team_id:
        raise NotFound("This scenario doesn't exist, or you don't have access to it.")
    return found


def attempts(red_team_id: UUID, *, after: str | None = None, size: int = 25) -> Keyset:
    """Return a page of the attempts of a red team with their scenarios, newest first."""
    query = (
        select(RedTeamAttempt, RedTeamScenario)
        .join(RedTeamScenario, RedTeamScenario.id == RedTeamAttempt.scenario_id)
        .where(RedTeamAttempt.red_team_id == red_team_id)
    )
    return keyset(
        cast("Select[Any]", query), RedTeamAttempt.number, after=after, size=size, descending=True
    )


def attempt(red_team_id: UUID, attempt_id: UUID) -> Row[RedTeamAttempt, RedTeamScenario]:
    """Return an attempt of this red team with its scenario. Raise NotFound."""
    query = (
        select(RedTeamAttempt, RedTeamScenario)
        .join(RedTeamScenario, RedTeamScenario.id == RedTeamAttempt.scenario_id)
        .where(RedTeamAttempt.id == attempt_id, RedTeamAttempt.red_team_id == red_team_id)
    )
    if (found := session().execute(query).one_or_none()) is None:
        raise NotFound("This attempt doesn't exist, or you don't have access to it.")
    return found


def scenario_counts(red_team_ids: tuple[UUID, ...]) -> Mapping[UUID, Tried]:
    """Count the attempts of each scenario, by people and by linked runs, in two statements."""
    a, found = RedTeamAttempt, defaultdict[UUID, dict[str, int]](lambda: dict.fromkeys(OUTCOMES, 0))
    by_people = (
        select(a.scenario_id, a.outcome, func.count())
        .where(a.red_team_id.in_(red_team_ids))
        .group_by(a.scenario_id, a.outcome)
    )
    for scenario_id, outcome, number in session().execute(by_people):
        found[scenario_id][outcome] += number
    for link, run, result, measure in linked_runs(red_team_ids):
        counted = counted_attempts(run, result, measure)
        found[link.scenario_id]["held"] += counted.held
        found[link.scenario_id]["broke"] += counted.broke
        found[link.scenario_id]["unclear"] += counted.unclear
    return {scenario_id: Tried(**counts) for scenario_id, counts in found.items()}


def linked_runs(
    red_team_ids: tuple[UUID, ...],
) -> Sequence[Row[RedTeamRun, EvaluationRun, MeasureResult, SuiteMeasure]]:
    """Return the runs that count as attempts, with the result that is counted."""
    link = RedTeamRun
    query = (
        select(link, EvaluationRun, MeasureResult, SuiteMeasure)
        .join(RedTeamScenario, RedTeamScenario.id == link.scenario_id)
        .join(EvaluationRun, EvaluationRun.id == link.run_id)
        .join(MeasureResult, MeasureResult.run_id == link.run_id)
        .join(
            SuiteMeasure,
            (SuiteMeasure.id == MeasureResult.measure_id) & (SuiteMeasure.key == link.measure),
        )
        .where(RedTeamScenario.red_team_id.in_(red_team_ids))
        .order_by(EvaluationRun.number)
    )
    return session().execute(query).all()


def counted_attempts(run: EvaluationRun, result: MeasureResult, measure: SuiteMeasure) -> Tried:
    """Return the cases of a run as attempts: a passed case held, a failed case broke through."""
    counted = result.successes or 0
    held = counted if measure.at_least else result.n - counted
    return Tried(held, result.n - held, run.failed + run.unscored)


# ---- findings


def finding(finding_id: UUID, *, lock: bool = False) -> RedTeamFinding:
    """Return the finding. Raise NotFound also if the reader may not open its red team."""
    return finding_and_red_team(finding_id, lock=lock)[0]


def finding_and_red_team(finding_id: UUID, *, lock: bool = False) -> tuple[RedTeamFinding, RedTeam]:
    """Return the finding with its red team. Raise NotFound as `finding` does."""
    found = find(RedTeamFinding, finding_id, what="finding of a red team", lock=lock)
    return found, red_team(found.red_team_id)


def finding_and_about(
    finding_id: UUID,
) -> Row[RedTeamFinding, RedTeam, AISystem, RedTeamAttempt, RedTeamScenario]:
    """Return the finding with its red team, system, attempt and scenario, in one statement.

    Raise NotFound as `finding` does.
    """
    query = (
        select(RedTeamFinding, RedTeam, AISystem, RedTeamAttempt, RedTeamScenario)
        .join(RedTeam, RedTeam.id == RedTeamFinding.red_team_id)
        .join(AISystem, AISystem.id == RedTeamFinding.system_id)
        .join(RedTeamAttempt, RedTeamAttempt.id == RedTeamFinding.attempt_id)
        .join(RedTeamScenario, RedTeamScenario.id == RedTeamAttempt.scenario_id)
        .where(RedTeamFinding.id == finding_id)
    )
    if (found := session().execute(query).one_or_none()) is None:
        raise NotFound("This finding of a red team doesn't exist, or you don't have access to it.")
    _check_seen(found[1])
    return found


def findings_of(
    *, red_team_id: UUID | None = None, system_id: UUID | None = None
) -> Sequence[RedTeamFinding]:
    """Return findings that the reader may open: open ones first, then by severity."""
    f = RedTeamFinding
    query = select(f)
    if red_team_id is not None:
        query = query.where(f.red_team_id == red_team_id)
    if system_id is not None:
        query = query.where(f.system_id == system_id)
    if (seen := _seen()) is not None:
        query = query.where(f.red_team_id.in_(seen))
    ordered = query.order_by(f.state.not_in(UNDECIDED), f.score.desc(), f.number)
    return session().scalars(ordered.limit(MAX_FINDINGS)).all()


def findings_by_red_team(red_team_ids: Collection[UUID]) -> Mapping[UUID, tuple[int, int]]:
    """Return (findings, open findings) by red team, in one statement."""
    f = RedTeamFinding
    query = (
        select(f.red_team_id, func.count(), func.count().filter(f.state.in_(UNDECIDED)))
        .where(f.red_team_id.in_(red_team_ids))
        .group_by(f.red_team_id)
    )
    return {row[0]: (row[1], row[2]) for row in session().execute(query)}
