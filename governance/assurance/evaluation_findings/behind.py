"""The newest evaluation results behind controls, for a port of the controls package."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, cast
from uuid import UUID

from sqlalchemy import or_, select, tuple_
from sqlalchemy.dialects.postgresql import distinct_on

from governance.assurance.controls.ports import EvaluationBehind
from governance.assurance.evaluation_findings.models import MeasureControl
from governance.foundation.logbook.log_health import recall
from governance.kernel.data.db import session
from governance.operations.evaluations import figures
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.systems.models import AISystem


def evaluations_behind(control_ids: Collection[UUID], at: datetime) -> list[EvaluationBehind]:
    """Return the newest result of each AI system, suite and measure mapped to the controls.

    Results are as known at `at`. Runs one statement if no measure is mapped, four otherwise.
    """
    mapped = _mapped(control_ids, at) if control_ids else {}
    if not mapped:
        return []
    r = EvaluationRun
    query = (
        select(AISystem, EvaluationSuite, SuiteVersion, SuiteMeasure, r, MeasureResult)
        .select_from(r)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(SuiteMeasure, SuiteMeasure.version_id == SuiteVersion.id)
        .join(
            MeasureResult,
            (MeasureResult.run_id == r.id) & (MeasureResult.measure_id == SuiteMeasure.id),
        )
        .join(AISystem, AISystem.id == r.system_id)
        .where(
            tuple_(EvaluationSuite.id, SuiteMeasure.key).in_(list(mapped)),
            or_(AISystem.retired_at.is_(None), AISystem.retired_at > at),
            or_(SuiteVersion.withdrawn_at.is_(None), SuiteVersion.withdrawn_at > at),
            r.state == "judged",
            r.outcome == "completed",
            MeasureResult.created_at <= at,
        )
        .ext(distinct_on(AISystem.key, EvaluationSuite.key, SuiteMeasure.key))
        .order_by(
            AISystem.key,
            EvaluationSuite.key,
            SuiteMeasure.key,
            r.ran_at.desc(),
            r.number.desc(),
        )
    )
    tier = evaluations.policy_tier()
    rows = [cast("Row", row) for row in session().execute(query)]
    stale = judge_queries.stale(((row[4], row[1].id) for row in rows), at)
    return [_behind(row, mapped, tier, stale.get((row[4].id, row[3].key), "")) for row in rows]


type Mapped = dict[tuple[UUID, str], set[UUID]]


class MappedMeasure(NamedTuple):
    """The period in which a control rests on a measure of a suite."""

    suite_id: UUID
    measure: str
    control_id: UUID
    created_at: datetime
    removed_at: datetime | None


def _mappings() -> list[MappedMeasure]:
    query = select(*(getattr(MeasureControl, name) for name in MappedMeasure._fields))
    return [MappedMeasure._make(row) for row in session().execute(query)]


def _mapped(control_ids: Collection[UUID], at: datetime) -> Mapped:
    """Return the control ids by suite and measure, as mapped at that instant.

    Reads all mappings of the tenant and caches them until the next commit.
    """
    wanted = set(control_ids)
    found: Mapped = {}
    for each in recall("controls of measures", _mappings):
        if (
            each.control_id in wanted
            and each.created_at <= at
            and (each.removed_at is None or each.removed_at > at)
        ):
            found.setdefault((each.suite_id, each.measure), set()).add(each.control_id)
    return found


type Row = tuple[
    AISystem, EvaluationSuite, SuiteVersion, SuiteMeasure, EvaluationRun, MeasureResult
]


def _behind(row: Row, mapped: Mapped, tier: str, stale: str) -> EvaluationBehind:
    """Build the result for a port caller.

    `stale` is why the figure no longer counts, or "". A stale figure is shown as undecided.
    """
    system, suite, version, measure, run, result = row
    judged = result.verdicts.get(tier, {})
    verdict = str(judged.get("verdict", "none")) if result.n else "none"
    if stale and result.n:
        verdict = "undecided"
    return EvaluationBehind(
        controls=frozenset(mapped[suite.id, measure.key]),
        system=system.name,
        suite=suite.name,
        version=version.number,
        measure=measure.name,
        figure=figures.amount(result.point, measure.unit),
        interval=figures.interval(result.low, result.high, measure.unit),
        cases=result.n,
        limit=figures.limit(measure, judged.get("limit")),
        verdict=verdict,
        state=figures.VERDICTS[verdict],
        week=run.week,
        run_id=run.id,
        run=run.number,
        sha256=run.sha256,
        why=stale if result.n else "",
    )
