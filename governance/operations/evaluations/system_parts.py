"""Parts of evaluations on an AI system's pages.

They are this week's verdicts, the tab of its weekly series, and the effect of retirement on open
requests to runners.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Date,
    Select,
    Uuid,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on

from governance.kernel import clock
from governance.kernel.data.selects import Selected
from governance.kernel.formatting import plural
from governance.operations.evaluations import permissions, queries
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.requests.models import OPEN, EvaluationRequest
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems.models import SystemVersion
from governance.operations.systems.parts import (
    Consequence,
    Figure,
    OutdatedRecords,
    SystemFigure,
    SystemTab,
)


def _evaluated(system_id: UUID) -> Select[*tuple[Any, ...]]:
    judged = select(EvaluationRun.id).where(
        EvaluationRun.system_id == system_id, EvaluationRun.state == "judged"
    )
    return select(literal("")).where(judged.exists())


EVALUATIONS_TAB = SystemTab(
    label="Evaluations",
    endpoint="evaluations.trend",
    argument="system_key",
    permission=permissions.VIEW,
    order=50,
    content=_evaluated,
)


class _WeekRun(NamedTuple):
    id: UUID
    judges: list[str]
    created_at: datetime
    suite_id: UUID
    release: str


def _newest_of_week() -> Select[*tuple[Any, ...]]:
    """Select the newest run of each release and suite in a week."""
    r = EvaluationRun
    return (
        select(r.id, r.judges, r.created_at, SuiteVersion.suite_id, r.release)
        .select_from(r)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .where(
            r.system_id == bindparam("system_id", type_=Uuid()),
            r.state == "judged",
            r.week == bindparam("week", type_=Date()),
        )
        .ext(distinct_on(SuiteVersion.suite_id, r.release))
        .order_by(SuiteVersion.suite_id, r.release, r.ran_at.desc(), r.number.desc())
    )


_NEWEST = Selected[tuple[Any, ...]](_newest_of_week)


def _this_week(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the numbers of passing and undecided measures, and the names of failing ones.

    They are of this week's newest runs, one per suite and release that is served or in a rollout. A
    figure of a replaced judge is undecided.
    """
    week = monday_of(clock.today())
    found = [_WeekRun._make(row) for row in _NEWEST.read(system_id=system_id, week=week)]
    roles = served_releases.roles_of([system_id]).get(system_id) if found else None
    runs = [run for run in found if not served_releases.is_unknown(roles, run.release)]
    judges = judge_queries.judges_of_system(system_id) if runs else {}
    stale = judge_queries.stale_by(((run, run.suite_id) for run in runs), judges)
    tier = queries.policy_tier()
    verdict = case(
        (tuple_(MeasureResult.run_id, SuiteMeasure.key).in_(stale), "undecided"),
        else_=queries.judged_verdict(tier),
    )
    failing = func.string_agg(SuiteMeasure.name.distinct(), ", ").filter(verdict == "fail")
    return (
        select(
            func.count().filter(verdict == "pass"),
            func.count().filter(verdict == "undecided"),
            failing,
        )
        .select_from(MeasureResult)
        .join(SuiteMeasure, SuiteMeasure.id == MeasureResult.measure_id)
        .join(EvaluationRun, EvaluationRun.id == MeasureResult.run_id)
        .where(
            MeasureResult.run_id.in_([run.id for run in runs]), SuiteMeasure.is_signal.is_(False)
        )
        .having(func.count() > 0)
    )


def _verdicts(passing: str, undecided: str, failing: str) -> Figure:
    names = failing.split(", ") if failing else []
    words = [f"{passing} pass"] if int(passing) else []
    words += [f"{len(names)} fail"] if names else []
    words += [f"{undecided} undecided"] if int(undecided) else []
    if not names:
        return Figure(", ".join(words), "", "warn" if int(undecided) else "ok")
    missed = (
        f"the limit of {names[0].lower()} is missed"
        if len(names) == 1
        else f"{len(names)} limits are missed"
    )
    return Figure(", ".join(words), failing, "bad", missed)


VERDICTS = SystemFigure(
    label="Evaluations this week",
    order=30,
    permission=permissions.VIEW,
    select=_this_week,
    words=_verdicts,
)


def _requested(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(
        EvaluationRequest.system_id == system_id, EvaluationRequest.state.in_(OPEN)
    )


REQUESTS = Consequence(
    name="evaluation requests",
    order=65,
    count=_requested,
    text=lambda n: (
        f"{plural(n, 'evaluation')} that a runner was asked for: no run of a retired system is judged"
    ),
)


def _before_change(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the newest run of each suite if the last substantial change is later."""
    r, v = EvaluationRun, SystemVersion
    changed = (
        select(v.number, v.created_at)
        .where(v.system_id == system_id, v.substantial != cast([], JSONB))
        .order_by(v.number.desc())
        .limit(1)
        .subquery()
    )
    newest = (
        select(r.id, r.number, r.ran_at, EvaluationSuite.name)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .where(r.system_id == system_id, r.state == "judged", EvaluationSuite.retired_at.is_(None))
        .ext(distinct_on(SuiteVersion.suite_id))
        .order_by(SuiteVersion.suite_id, r.ran_at.desc(), r.number.desc())
        .subquery()
    )
    name = func.concat("Evaluation ", newest.c.name)
    detail = func.concat("Run ", newest.c.number, " was before version ", changed.c.number)
    return (
        select(newest.c.id, name.label("name"), detail.label("detail"))
        .select_from(newest)
        .join(changed, changed.c.created_at > newest.c.ran_at)
    )


OUTDATED = OutdatedRecords(
    select=_before_change,
    verb="Open",
    endpoint="evaluations.run",
    argument="run_id",
    permission=permissions.VIEW,
    confirming=permissions.MANAGE,
)
