"""Suites, versions, measures, runs and results.

suite(key), version(…)        raise NotFound if they don't exist
run(id), results_of(run)      one run and its results
earlier(tool, reference)      the run that already has this reference of its tool
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from typing import Any, cast
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.runs.judging import MeasureRule
from governance.operations.evaluations.suites.task_packs import TIERS
from governance.operations.policies import queries as policies
from governance.operations.policies.effective_policies import read_content
from governance.operations.policies.tiers import DEFAULT_TIER
from governance.operations.systems.models import AISystem

type NewestRun = Row[EvaluationRun, SuiteVersion, EvaluationSuite]


def suite(key: str, *, lock: bool = False) -> EvaluationSuite:
    """Return the suite with that slug. Raises NotFound."""
    query = select(EvaluationSuite).where(EvaluationSuite.key == key)
    found = session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("This evaluation suite doesn't exist, or you don't have access to it.")
    return found


def versions(suite_id: UUID) -> Sequence[SuiteVersion]:
    """Return the suite's versions, newest first."""
    query = select(SuiteVersion).where(SuiteVersion.suite_id == suite_id)
    return session().scalars(query.order_by(SuiteVersion.number.desc())).all()


def version(suite_id: UUID, number: int | None = None) -> SuiteVersion:
    """Return the version with that number, or the newest published one. Raises NotFound."""
    query = select(SuiteVersion).where(SuiteVersion.suite_id == suite_id)
    if number is None:
        query = query.where(
            SuiteVersion.published_at.is_not(None), SuiteVersion.withdrawn_at.is_(None)
        )
    else:
        query = query.where(SuiteVersion.number == number)
    found = session().scalars(query.order_by(SuiteVersion.number.desc()).limit(1)).one_or_none()
    if found is None:
        raise NotFound(
            "The suite has no published version."
            if number is None
            else "This version doesn't exist."
        )
    return found


def measures_in_use() -> Sequence[Row[SuiteMeasure, SuiteVersion, EvaluationSuite]]:
    """Return the measures of each active suite's newest published version.

    They are sorted by suite and position. Runs one statement.
    """
    newest = (
        select(SuiteVersion.suite_id, func.max(SuiteVersion.number).label("number"))
        .where(SuiteVersion.published_at.is_not(None), SuiteVersion.withdrawn_at.is_(None))
        .group_by(SuiteVersion.suite_id)
        .subquery()
    )
    query = (
        select(SuiteMeasure, SuiteVersion, EvaluationSuite)
        .join(SuiteVersion, SuiteVersion.id == SuiteMeasure.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(
            newest,
            (newest.c.suite_id == SuiteVersion.suite_id) & (newest.c.number == SuiteVersion.number),
        )
        .where(EvaluationSuite.retired_at.is_(None))
        .order_by(EvaluationSuite.name, EvaluationSuite.id, SuiteMeasure.position)
    )
    return session().execute(query).all()


def measures(version_id: UUID) -> Sequence[SuiteMeasure]:
    """Return the version's measures in order."""
    query = select(SuiteMeasure).where(SuiteMeasure.version_id == version_id)
    return session().scalars(query.order_by(SuiteMeasure.position)).all()


def rule_of(measure: SuiteMeasure) -> MeasureRule:
    """Convert a measure for judging.py."""
    return MeasureRule(
        key=measure.key,
        kind=measure.kind,
        unit=measure.unit,
        at_least=measure.at_least,
        limits=measure.limits,
        sources=tuple(measure.sources),
        percent=measure.percent,
        is_inverted=measure.is_inverted,
        is_signal=measure.is_signal,
        min_samples=measure.min_samples,
    )


def run(run_id: UUID, *, lock: bool = False) -> EvaluationRun:
    """Return the run. Raises NotFound."""
    return find(EvaluationRun, run_id, what="evaluation run", lock=lock)


def earlier(tool: str, reference: str) -> EvaluationRun | None:
    """Return the judged run that has this reference of its tool."""
    if not reference:
        return None
    query = select(EvaluationRun).where(
        EvaluationRun.tool == tool,
        EvaluationRun.reference == reference,
        EvaluationRun.state == "judged",
    )
    return session().scalars(query).one_or_none()


def same_file(sha256: str, version_id: UUID, system_id: UUID) -> EvaluationRun | None:
    """Return the run of the same content that is judged or being read."""
    query = select(EvaluationRun).where(
        EvaluationRun.sha256 == sha256,
        EvaluationRun.version_id == version_id,
        EvaluationRun.system_id == system_id,
        EvaluationRun.state != "refused",
    )
    return session().scalars(query.order_by(EvaluationRun.created_at).limit(1)).one_or_none()


def pushed_as(name: str, system_id: UUID) -> EvaluationRun | None:
    """Return the system's run that a machine sent under this name, unless it was rejected."""
    query = select(EvaluationRun).where(
        EvaluationRun.system_id == system_id,
        EvaluationRun.name == name,
        EvaluationRun.requested_by.is_(None),
        EvaluationRun.state != "refused",
    )
    return session().scalars(query.order_by(EvaluationRun.number).limit(1)).one_or_none()


def looks(run: EvaluationRun) -> dict[date, int]:
    """Count the other completed runs of the same system, version and release, by week's Monday."""
    query = (
        select(EvaluationRun.week, func.count().label("runs"))
        .where(
            EvaluationRun.system_id == run.system_id,
            EvaluationRun.version_id == run.version_id,
            EvaluationRun.release == run.release,
            EvaluationRun.state == "judged",
            EvaluationRun.outcome == "completed",
            EvaluationRun.id != run.id,
        )
        .group_by(EvaluationRun.week)
    )
    return {row.week: row.runs for row in session().execute(query)}


def next_number() -> int:
    """Return the number of the tenant's next run. The caller holds the lock of runs."""
    return int(session().scalar(select(func.coalesce(func.max(EvaluationRun.number), 0))) or 0) + 1


def results_of(run_ids: Collection[UUID]) -> Sequence[Row[MeasureResult, SuiteMeasure]]:
    """Return each result with its measure, in the suite's order. Runs one statement."""
    return _results_of(tuple(run_ids))


def _results_of(run_ids: tuple[UUID, ...]) -> Sequence[Row[MeasureResult, SuiteMeasure]]:
    query = (
        select(MeasureResult, SuiteMeasure)
        .join(SuiteMeasure, SuiteMeasure.id == MeasureResult.measure_id)
        .where(MeasureResult.run_id.in_(run_ids))
        .order_by(MeasureResult.run_id, SuiteMeasure.position)
    )
    return session().execute(query).all()


def results_in(
    run_ids: Callable[[], Select[UUID]],
) -> tuple[Rows[MeasureResult], Rows[SuiteMeasure]]:
    """Return what `read_rows` reads of the selected runs' results, for `with_measures`."""
    r = MeasureResult
    return (
        Rows(r, lambda m: m.run_id.in_(run_ids()), lambda m: (m.run_id,)),
        Rows(
            SuiteMeasure,
            lambda m: m.id.in_(select(r.measure_id).where(r.run_id.in_(run_ids()))),
            lambda m: (m.position,),
        ),
    )


def with_measures(
    results: Collection[MeasureResult], measures: Collection[SuiteMeasure]
) -> list[tuple[MeasureResult, SuiteMeasure]]:
    """Return each result with its measure, in the order of `results_of`."""
    measure_of = {each.id: each for each in measures}
    pairs = [(each, measure_of[each.measure_id]) for each in results]
    return sorted(pairs, key=lambda pair: (pair[0].run_id, pair[1].position))


def open_suites() -> Sequence[Row[EvaluationSuite, int]]:
    """Return each active suite that accepts runs, with its newest published version's number."""
    newest = (
        select(SuiteVersion.suite_id, func.max(SuiteVersion.number).label("number"))
        .where(SuiteVersion.published_at.is_not(None), SuiteVersion.withdrawn_at.is_(None))
        .group_by(SuiteVersion.suite_id)
        .subquery()
    )
    query = (
        select(EvaluationSuite, newest.c.number)
        .join(newest, newest.c.suite_id == EvaluationSuite.id)
        .where(EvaluationSuite.retired_at.is_(None))
        .order_by(EvaluationSuite.name)
    )
    return session().execute(query).all()


def suite_by_id(suite_id: UUID) -> EvaluationSuite:
    """Return the suite with that id. Raises NotFound."""
    return find(EvaluationSuite, suite_id, what="evaluation suite")


def suites() -> Sequence[Row[EvaluationSuite, int | None, int | None]]:
    """Return every suite with its newest published version and its open draft."""
    numbers = (
        select(
            SuiteVersion.suite_id,
            func.max(SuiteVersion.number)
            .filter(SuiteVersion.published_at.is_not(None), SuiteVersion.withdrawn_at.is_(None))
            .label("published"),
            func.max(SuiteVersion.number)
            .filter(SuiteVersion.published_at.is_(None))
            .label("drafted"),
        )
        .group_by(SuiteVersion.suite_id)
        .subquery()
    )
    query = (
        select(EvaluationSuite, numbers.c.published, numbers.c.drafted)
        .outerjoin(numbers, numbers.c.suite_id == EvaluationSuite.id)
        .order_by(EvaluationSuite.retired_at.is_not(None), EvaluationSuite.name)
    )
    return session().execute(query).all()


def about(run: EvaluationRun) -> Row[EvaluationSuite, SuiteVersion, AISystem]:
    """Return the suite, version and AI system of a run. Runs one statement."""
    query = (
        select(EvaluationSuite, SuiteVersion, AISystem)
        .join(SuiteVersion, SuiteVersion.suite_id == EvaluationSuite.id)
        .join(AISystem, AISystem.id == run.system_id)
        .where(SuiteVersion.id == run.version_id)
    )
    return session().execute(query).one()


def runs(*, after: str | None = None, size: int = 50) -> Keyset:
    """Return a page of the runs with suite and system, newest first."""
    query = (
        select(EvaluationRun, EvaluationSuite, SuiteVersion, AISystem)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
    )
    return keyset(
        cast("Select[Any]", query), EvaluationRun.number, after=after, size=size, descending=True
    )


def comparable_runs(
    suite_id: UUID | None = None, *, run_id: UUID | None = None, size: int = 200
) -> Sequence[Row[EvaluationRun, EvaluationSuite, AISystem]]:
    """Return the newest completed runs of versions in use: of one suite, or one run."""
    query = (
        select(EvaluationRun, EvaluationSuite, AISystem)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
        .where(
            EvaluationRun.state == "judged",
            EvaluationRun.outcome == "completed",
            SuiteVersion.withdrawn_at.is_(None),
        )
        .order_by(EvaluationRun.number.desc())
        .limit(size)
    )
    if suite_id is not None:
        query = query.where(EvaluationSuite.id == suite_id)
    if run_id is not None:
        query = query.where(EvaluationRun.id == run_id)
    return session().execute(query).all()


def runs_between(
    first: date, last: date, system_ids: Collection[UUID]
) -> Sequence[Row[EvaluationRun, EvaluationSuite, AISystem]]:
    """Return the judged runs of these systems in weeks from `first` to `last`, both Mondays."""
    query = (
        select(EvaluationRun, EvaluationSuite, AISystem)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
        .where(
            EvaluationRun.state == "judged",
            EvaluationRun.week.between(first, last),
            EvaluationRun.system_id.in_(system_ids),
        )
    )
    return session().execute(query).all()


def newest_judged(system_id: UUID, releases: Collection[str]) -> Sequence[NewestRun]:
    """Return the newest judged run of each active suite on each release. Runs one statement."""
    run = EvaluationRun
    query = (
        select(run, SuiteVersion, EvaluationSuite)
        .join(SuiteVersion, SuiteVersion.id == run.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .where(
            run.system_id == system_id,
            run.release.in_(releases),
            run.state == "judged",
            EvaluationSuite.retired_at.is_(None),
        )
        .ext(distinct_on(run.release, EvaluationSuite.name, EvaluationSuite.id))
        .order_by(
            run.release,
            EvaluationSuite.name,
            EvaluationSuite.id,
            run.ran_at.desc(),
            run.number.desc(),
        )
    )
    return session().execute(query).all()


def measured(
    system_id: UUID, releases: Collection[str], name: str, *, limit: int = 24
) -> Sequence[Row[MeasureResult, SuiteMeasure, EvaluationRun]]:
    """Return a measure's newest figures on these releases, earliest first. Runs one statement."""
    query = (
        select(MeasureResult, SuiteMeasure, EvaluationRun)
        .join(SuiteMeasure, SuiteMeasure.id == MeasureResult.measure_id)
        .join(EvaluationRun, EvaluationRun.id == MeasureResult.run_id)
        .where(
            EvaluationRun.system_id == system_id,
            EvaluationRun.release.in_(releases),
            EvaluationRun.state == "judged",
            SuiteMeasure.name == name,
            MeasureResult.point.is_not(None),
        )
        .order_by(EvaluationRun.ran_at.desc(), EvaluationRun.number.desc())
        .limit(limit)
    )
    return session().execute(query).all()[::-1]


def newest_runs_of(
    week: date, last: date | None = None
) -> Sequence[Row[EvaluationRun, EvaluationSuite, AISystem]]:
    """Return the newest judged run of each active AI system, release and suite in a week.

    `week` is a Monday; with `last`, the runs are of the weeks from it to `last`.
    """
    query = (
        select(EvaluationRun, EvaluationSuite, AISystem)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(EvaluationSuite, EvaluationSuite.id == SuiteVersion.suite_id)
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
        .where(
            EvaluationRun.state == "judged",
            EvaluationRun.week.between(week, last or week),
            EvaluationSuite.retired_at.is_(None),
            AISystem.retired_at.is_(None),
        )
        .ext(distinct_on(EvaluationRun.system_id, EvaluationRun.release, EvaluationSuite.id))
        .order_by(
            EvaluationRun.system_id,
            EvaluationRun.release,
            EvaluationSuite.id,
            EvaluationRun.number.desc(),
        )
    )
    return session().execute(query).all()


def versions_in_use(suite_ids: Collection[UUID]) -> Mapping[UUID, SuiteVersion]:
    """Return the newest published version of each suite that has one. Runs one statement."""
    query = (
        select(SuiteVersion)
        .where(
            SuiteVersion.suite_id.in_(suite_ids),
            SuiteVersion.published_at.is_not(None),
            SuiteVersion.withdrawn_at.is_(None),
        )
        .ext(distinct_on(SuiteVersion.suite_id))
        .order_by(SuiteVersion.suite_id, SuiteVersion.number.desc())
    )
    return {each.suite_id: each for each in session().scalars(query)}


def evaluated_systems(*, after: str | None = None, size: int = 25) -> Keyset:
    """Return a page of the active AI systems with a judged run, by slug."""
    has_run = (
        select(EvaluationRun.id)
        .where(EvaluationRun.system_id == AISystem.id, EvaluationRun.state == "judged")
        .exists()
    )
    query = select(AISystem).where(AISystem.retired_at.is_(None), has_run)
    return keyset(query, AISystem.key, after=after, size=size)


def policy_tier() -> str:
    """Return the tenant's tier for limits: its policy's, or the strictest for a custom tier."""
    tier = _tier()
    return tier if tier in TIERS else TIERS[-1]


def policy_tier_name() -> str:
    """Return the name of the tier."""
    return policies.platform().tiers[_tier()].name


def judged_by(run: EvaluationRun) -> str:
    """Return the tier whose limits judged the run, or today's if it isn't judged yet."""
    return run.judged_tier or policy_tier()


def judged_verdict(today: str) -> ColumnElement[str]:
    """Return a MeasureResult's verdict as its EvaluationRun was judged; `today` is today's tier."""
    tier = func.coalesce(EvaluationRun.judged_tier, today)
    return func.jsonb_extract_path_text(MeasureResult.verdicts, tier, "verdict")


def policy_number() -> int | None:
    """Return the number of the policy version in force."""
    row = policies.in_force()
    return row.number if row else None


def tier_names(tiers: Collection[str]) -> Mapping[str, str]:
    """Return the names of these tiers as people read them."""
    known = policies.platform().tiers
    return {tier: known[tier].name if tier in known else tier.capitalize() for tier in tiers}


def _tier() -> str:
    row = policies.in_force()
    return read_content(row.content).tier if row else DEFAULT_TIER
