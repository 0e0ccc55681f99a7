"""Reads for the weekly series of an AI system.

weekly_runs(…)        the newest judged run of each suite and week
measures_of(…)        the measures of these versions
weekly_results(…)     the runs' results, with the verdict that each was judged with
policy_changes(…)     versions of the policy that took effect
"""

from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, case, column, func, select, values
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel.data.db import session
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.ports import Roles
from governance.operations.policies.models import PlatformPolicy, PolicyVersion
from governance.operations.policies.tiers import DEFAULT_TIER
from governance.operations.systems.models import AISystem


def weekly_runs(
    system_key: str,
    first: date,
    last: date,
    *,
    release: str = "",
    suite_key: str = "",
    roles: Roles | None = None,
    known: ColumnElement[bool] | None = None,
) -> Sequence[Any]:
    """Return the newest judged run of each suite and week from `first` to `last`, both Mondays.

    A week prefers the run of a release that is served by `roles`, then of one in a rollout, to a
    newer run of another one. `known` leaves out runs of releases that no record ever named, unless
    `release` names one. A failed run counts, since an older figure isn't that week's. Each row has
    the system, and all of its releases in these weeks, regardless of the filters.
    """
    of_system = (
        EvaluationRun.system_id == AISystem.id,
        AISystem.key == system_key,
        EvaluationRun.state == "judged",
        EvaluationRun.week.between(first, last),
    )
    releases = (
        select(func.array_agg(EvaluationRun.release.distinct()))
        .where(*of_system)
        .correlate(None)
        .scalar_subquery()
        .label("releases")
    )
    query = (
        select(
            EvaluationRun.id,
            EvaluationRun.number,
            EvaluationRun.week,
            EvaluationRun.release,
            EvaluationRun.outcome,
            EvaluationRun.version_id,
            EvaluationRun.judges,
            EvaluationRun.created_at,
            SuiteVersion.number.label("version"),
            SuiteVersion.withdrawn_at,
            SuiteVersion.suite_id,
            EvaluationSuite.key.label("suite_key"),
            EvaluationSuite.name.label("suite"),
            AISystem.id.label("system_id"),
            AISystem.key.label("system_key"),
            AISystem.name.label("system"),
            releases,
        )
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .where(*of_system)
        .ext(distinct_on(SuiteVersion.suite_id, EvaluationRun.week))
        .order_by(
            SuiteVersion.suite_id,
            EvaluationRun.week,
            _rank(roles or {}),
            EvaluationRun.number.desc(),
        )
    )
    if release:
        query = query.where(EvaluationRun.release == release)
    elif known is not None:
        query = query.where(known)
    if suite_key:
        query = query.where(EvaluationSuite.key == suite_key)
    return session().execute(query).all()


def _rank(roles: Roles) -> ColumnElement[int]:
    served = [release for release, role in roles.items() if role.is_served]
    return case(
        (EvaluationRun.release.in_(served), 0), (EvaluationRun.release.in_(roles), 1), else_=2
    )


def measures_of(version_ids: Collection[UUID]) -> Sequence[Any]:
    """Return the measures of these versions, in order. Runs one statement."""
    query = (
        select(
            SuiteMeasure.id,
            SuiteMeasure.version_id,
            SuiteMeasure.position,
            SuiteMeasure.key,
            SuiteMeasure.name,
            SuiteMeasure.kind,
            SuiteMeasure.percent,
            SuiteMeasure.unit,
            SuiteMeasure.at_least,
            SuiteMeasure.is_signal,
        )
        .where(SuiteMeasure.version_id.in_(version_ids))
        .order_by(SuiteMeasure.version_id, SuiteMeasure.position)
    )
    return session().execute(query).all()


def weekly_results(
    run_ids: Collection[UUID], measure_ids: Collection[UUID], tier: str
) -> Sequence[Any]:
    """Return the results of these runs for these measures.

    `judged` is the verdict of the policy tier that judged the run, or of `tier` for old runs
    without one.
    """
    judged_by = func.coalesce(EvaluationRun.judged_tier, tier)
    query = (
        select(
            MeasureResult.run_id,
            MeasureResult.measure_id,
            MeasureResult.n,
            MeasureResult.successes,
            MeasureResult.deviation,
            MeasureResult.point,
            MeasureResult.low,
            MeasureResult.high,
            MeasureResult.confidence,
            MeasureResult.verdicts[judged_by].label("judged"),
        )
        .join(EvaluationRun, EvaluationRun.id == MeasureResult.run_id)
        .where(MeasureResult.run_id.in_(run_ids), MeasureResult.measure_id.in_(measure_ids))
    )
    return session().execute(query).all()


def policy_changes(until: datetime) -> Sequence[Any]:
    """Return number, start and tier of policy versions in effect by then, oldest first.

    Without a version there is one row whose number is None, with the tier that judges then.
    `tier_name` is None if the operator didn't rename the tier.
    """
    one = values(column("n", Integer), name="one").data([(1,)])
    tier = func.coalesce(PolicyVersion.content["tier"].astext, DEFAULT_TIER)
    named = (
        select(func.jsonb_extract_path_text(PlatformPolicy.content, "tiers", tier, "name"))
        .where(PlatformPolicy.in_force_from.is_not(None))
        .order_by(PlatformPolicy.number.desc())
        .limit(1)
        .correlate(PolicyVersion)
        .scalar_subquery()
    )
    query = (
        select(
            PolicyVersion.number,
            PolicyVersion.in_force_from,
            tier.label("tier"),
            named.label("tier_name"),
        )
        .select_from(one)
        .outerjoin(PolicyVersion, PolicyVersion.in_force_from <= until)
        .order_by(PolicyVersion.number)
    )
    return session().execute(query).all()
