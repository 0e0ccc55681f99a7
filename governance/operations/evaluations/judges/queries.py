"""Judges, their newest calibration, and run figures that a judge change makes stale.

judge(id), judges_of(suite)    NotFound for another tenant's
people_labels(…)               people's labels of cases, in the newest labelled set
current_judges(…)              one page of the judges in use, over all suites
stale(runs)                    why a measure of a run no longer decides
judges_of_system(id)           the judges that stale_by needs for the runs of an AI system
unsound(runs)                  why a measure doesn't decide: people's labels don't confirm its judge
corrected(…)                   the rate that people would have found, next to the judge's
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, cast
from uuid import UUID

from sqlalchemy import Row, ScalarSelect, Select, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Selected
from governance.kernel.errors import DomainError
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.evaluations.judges.models import (
    EvaluationJudge,
    JudgeCalibration,
    JudgeLabel,
)
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.statistics.judges import corrected_rate
from governance.operations.evaluations.statistics.rates import RateInterval
from governance.operations.systems.models import AISystem


def judge(judge_id: UUID) -> EvaluationJudge:
    """Return the judge. Raises NotFound."""
    return find(EvaluationJudge, judge_id, what="judge")


def judges_of(suite_ids: Collection[UUID]) -> Sequence[EvaluationJudge]:
    """Return every judge of these suites, current ones first, then the newest."""
    query = select(EvaluationJudge).where(EvaluationJudge.suite_id.in_(suite_ids))
    return (
        session()
        .scalars(
            query.order_by(
                EvaluationJudge.replaced_at.is_not(None),
                EvaluationJudge.measure_key,
                EvaluationJudge.created_at.desc(),
            )
        )
        .all()
    )


def current_judges(*, after: str | None = None, size: int = 50) -> Keyset:
    """Return a page of the judges in use with their suites, by suite and measure."""
    query = (
        select(EvaluationJudge, EvaluationSuite)
        .join(EvaluationSuite, EvaluationSuite.id == EvaluationJudge.suite_id)
        .where(EvaluationJudge.replaced_at.is_(None))
    )
    columns = (EvaluationSuite.key, EvaluationJudge.measure_key)
    return keyset(cast("Select[Any]", query), *columns, after=after, size=size)


def measure_names(suite_ids: Collection[UUID]) -> Mapping[tuple[UUID, str], str]:
    """Return the newest name of each measure, by suite and slug. Runs one statement."""
    query = (
        select(SuiteVersion.suite_id, SuiteMeasure.key, SuiteMeasure.name)
        .join(SuiteVersion, SuiteVersion.id == SuiteMeasure.version_id)
        .where(SuiteVersion.suite_id.in_(suite_ids))
        .order_by(SuiteVersion.number)
    )
    return {(row.suite_id, row.key): row.name for row in session().execute(query)}


def stale_systems(suite_ids: Collection[UUID]) -> Mapping[tuple[UUID, str], int]:
    """Count the AI systems whose newest figure no longer decides, by suite and slug."""
    newest = (
        select(EvaluationRun, SuiteVersion.suite_id)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .join(AISystem, AISystem.id == EvaluationRun.system_id)
        .where(
            SuiteVersion.suite_id.in_(suite_ids),
            AISystem.retired_at.is_(None),
            EvaluationRun.state == "judged",
            EvaluationRun.outcome == "completed",
        )
        .ext(distinct_on(EvaluationRun.system_id, SuiteVersion.suite_id))
        .order_by(EvaluationRun.system_id, SuiteVersion.suite_id, EvaluationRun.number.desc())
    )
    runs = {run.id: (run, suite_id) for run, suite_id in session().execute(newest)}
    return Counter((runs[run_id][1], key) for run_id, key in stale(runs.values()))


def calibrations(judge_id: UUID) -> Sequence[JudgeCalibration]:
    """Return a judge's labelled sets, newest first."""
    query = select(JudgeCalibration).where(JudgeCalibration.judge_id == judge_id)
    return session().scalars(query.order_by(JudgeCalibration.created_at.desc())).all()


def newest_calibrations(judge_ids: Collection[UUID]) -> Mapping[UUID, JudgeCalibration]:
    """Return the newest labelled set of each judge that has one. Runs one statement."""
    query = (
        select(JudgeCalibration)
        .where(JudgeCalibration.judge_id.in_(judge_ids))
        .ext(distinct_on(JudgeCalibration.judge_id))
        .order_by(JudgeCalibration.judge_id, JudgeCalibration.created_at.desc())
    )
    return {each.judge_id: each for each in session().scalars(query)}


def people_labels(
    suite_id: UUID, measure_key: str, digests: Collection[str]
) -> Mapping[str, JudgeLabel]:
    """Return labels of cases in the newest set of the measure's judge, by hexadecimal digest."""
    newest = (
        select(JudgeCalibration.id)
        .join(EvaluationJudge, EvaluationJudge.id == JudgeCalibration.judge_id)
        .where(
            EvaluationJudge.suite_id == suite_id,
            EvaluationJudge.measure_key == measure_key,
            EvaluationJudge.replaced_at.is_(None),
        )
        .order_by(JudgeCalibration.created_at.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(JudgeLabel).where(
        JudgeLabel.calibration_id == newest,
        JudgeLabel.case_digest.in_([bytes.fromhex(each) for each in digests]),
    )
    return {each.case_digest.hex(): each for each in session().scalars(query)}


def rate_measures(suite_id: UUID) -> Sequence[SuiteMeasure]:
    """Return the measures that a judge can judge: shares of cases of the newest version."""
    newest = (
        select(SuiteVersion.id)
        .where(SuiteVersion.suite_id == suite_id)
        .order_by(SuiteVersion.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    query = select(SuiteMeasure).where(
        SuiteMeasure.version_id == newest, SuiteMeasure.kind == "rate"
    )
    return session().scalars(query.order_by(SuiteMeasure.position)).all()


# ---- one model, however it is written


def is_same_model(written: str, judge: EvaluationJudge) -> bool:
    """Return True if a name in a file means the judge, with or without provider and version."""
    provider, name = _split(written)
    if provider and provider != judge.provider.casefold():
        return False
    return name in _names(judge)


def is_judged_by_itself(model: str, judge: EvaluationJudge) -> bool:
    """Return True if the evaluated model is the judge, even under another provider."""
    return bool(model) and _split(model)[1] in _names(judge)


def _names(judge: EvaluationJudge) -> set[str]:
    name, version = judge.name.casefold(), judge.version.casefold()
    return {name, f"{name}-{version}", f"{name}@{version}", f"{name}:{version}"}


def _split(written: str) -> tuple[str, str]:
    """Return provider (may be empty) and name of "openai/gpt-x" or "openai:gpt-x"."""
    text = written.strip().casefold()
    mark = "/" if "/" in text else ":"
    provider, _mark, name = text.rpartition(mark)
    return provider.rpartition("/")[2].rpartition(":")[2], name


def check_judges(suite_id: UUID, model: str, judges: Iterable[str]) -> None:
    """Raise DomainError if a run's model judged itself."""
    names = list(judges)
    judged = model.strip().casefold()
    if judged and any(name.strip().casefold() == judged for name in names):
        raise DomainError(
            f"{model} judged its own answers. Let another model judge, and run again."
        )
    if names:
        return
    for each in judges_of([suite_id]):
        if each.is_current and is_judged_by_itself(model, each):
            raise DomainError(
                f"{model} is the suite's judge, so it would judge its own answers. Register another"
                " judge, or name the judge in the log."
            )


def evaluated_models(suite_id: UUID) -> Sequence[str]:
    """Return the models that runs of a suite evaluated."""
    query = (
        select(EvaluationRun.model)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .where(
            SuiteVersion.suite_id == suite_id,
            EvaluationRun.state == "judged",
            EvaluationRun.model != "",
        )
        .group_by(EvaluationRun.model)
        .order_by(func.max(EvaluationRun.number).desc())
        .limit(500)
    )
    return session().scalars(query).all()


# ---- a judge's effect on runs


type JudgesByMeasure = Mapping[tuple[UUID, str], tuple[Sequence[EvaluationJudge], str]]


class JudgedRun(Protocol):
    """A run, or a row that has these columns of one."""

    @property
    def id(self) -> UUID: ...
    @property
    def judges(self) -> Sequence[str]: ...
    @property
    def created_at(self) -> datetime: ...


def stale(
    runs: Iterable[tuple[JudgedRun, UUID]], at: datetime | None = None
) -> Mapping[tuple[UUID, str], str]:
    """Return why measures of runs no longer decide, by run and slug. Runs one statement.

    `runs` are runs with their suites. A figure is stale if the run names another judge than the
    measure has now (or had at `at`), if it was imported before that judge was chosen, or if
    people's newest labels don't confirm the judge.
    """
    given = list(runs)
    return stale_by(given, _judges_by_measure({row[1] for row in given}, at) if given else {})


def stale_by(
    runs: Iterable[tuple[JudgedRun, UUID]], by_measure: JudgesByMeasure
) -> Mapping[tuple[UUID, str], str]:
    """Return what `stale` does, from judges that the caller has read."""
    found: dict[tuple[UUID, str], str] = {}
    for run, suite_id in runs:
        for (of_suite, key), (judges, doubt) in by_measure.items():
            if of_suite == suite_id and (reason := _replaced(run, judges) or doubt):
                found[run.id, key] = reason
    return found


def unsound(runs: Iterable[tuple[JudgedRun, UUID]]) -> Mapping[tuple[UUID, str], str]:
    """Return the measures of runs whose current judge isn't confirmed by labels."""
    given = list(runs)
    by_measure = _judges_by_measure({suite_id for _run, suite_id in given}) if given else {}
    return {
        (run.id, key): doubt
        for run, suite_id in given
        for (of_suite, key), (judges, doubt) in by_measure.items()
        if of_suite == suite_id and doubt and not _replaced(run, judges)
    }


def _judges_by_measure(suite_ids: Collection[UUID], at: datetime | None = None) -> JudgesByMeasure:
    """Return each measure's judges, current one first, and why labels don't confirm it."""
    query = _judges(at).where(EvaluationJudge.suite_id.in_(suite_ids))
    if at is not None:
        query = query.where(EvaluationJudge.created_at <= at)
    return by_measure((row[0], row[1]) for row in session().execute(query))


def _judges(at: datetime | None = None) -> Select[EvaluationJudge, float | None]:
    j = EvaluationJudge
    query = select(j, _newest_kappa(at))
    return query.order_by(j.replaced_at.is_not(None), j.measure_key, j.created_at.desc())


def by_measure(rows: Iterable[tuple[EvaluationJudge, float | None]]) -> JudgesByMeasure:
    """Convert the rows of OF_SYSTEM for stale_by."""
    found: dict[tuple[UUID, str], tuple[list[EvaluationJudge], str]] = {}
    for each, kappa in rows:
        found.setdefault((each.suite_id, each.measure_key), ([], _doubt(each, kappa)))[0].append(
            each
        )
    return found


def _of_system() -> Select[EvaluationJudge, float | None]:
    """Select the judges of the suites that were ever run on an AI system."""
    was_run = (
        select(SuiteVersion.suite_id)
        .join(EvaluationRun, EvaluationRun.version_id == SuiteVersion.id)
        .where(EvaluationRun.system_id == bindparam("system_id", type_=Uuid()))
    )
    return _judges().where(EvaluationJudge.suite_id.in_(was_run))


OF_SYSTEM = Selected[tuple[EvaluationJudge, float | None]](_of_system)


def judges_of_system(system_id: UUID) -> JudgesByMeasure:
    """Return the judges of each suite ever run on an AI system, as stale_by takes them."""
    return by_measure(OF_SYSTEM.read(system_id=system_id))


def _newest_kappa(at: datetime | None = None) -> ScalarSelect[float | None]:
    """Return the low end of kappa by a judge's newest labels, as a column."""
    c = JudgeCalibration
    query = select(c.kappa_low).where(c.judge_id == EvaluationJudge.id)
    if at is not None:
        query = query.where(c.created_at <= at)
    return query.order_by(c.created_at.desc()).limit(1).correlate(EvaluationJudge).scalar_subquery()


def _doubt(judge: EvaluationJudge, kappa_low: float | None) -> str:
    """Explain why labels don't confirm a judge: its agreement may be due to chance."""
    if kappa_low is None or kappa_low > 0:
        return ""
    return f"People's labels don't confirm {judge.model}"


def _replaced(run: JudgedRun, judges: Sequence[EvaluationJudge]) -> str:
    """Return why the current judge didn't judge the run; empty if it did.

    `judges` are those of one measure, the current one first.
    """
    current = judges[0]
    if run.judges and not any(is_same_model(name, current) for name in run.judges):
        return f"Judged by {', '.join(run.judges)}; the judge is {current.model}"
    names_version = any(current.version.casefold() in name.casefold() for name in run.judges)
    if len(judges) > 1 and run.created_at < current.created_at and not names_version:
        return f"Judged before {current.model} became the judge"
    return ""


def corrected_results(
    suite_id: UUID,
    results: Sequence[Row[MeasureResult, SuiteMeasure]],
    stale: Mapping[tuple[UUID, str], str],
) -> Mapping[str, tuple[EvaluationJudge, RateInterval]]:
    """Return judge and corrected rate of each measure of one run with a calibrated judge."""
    current = {each.measure_key: each for each in judges_of([suite_id]) if each.is_current}
    sets = newest_calibrations([each.id for each in current.values()]) if current else {}
    found: dict[str, tuple[EvaluationJudge, RateInterval]] = {}
    for result, measure in results:
        its_judge = current.get(measure.key)
        calibration = sets.get(its_judge.id) if its_judge else None
        if its_judge is None or calibration is None or (result.run_id, measure.key) in stale:
            continue
        if (rate := corrected(result, measure, calibration)) is not None:
            found[measure.key] = its_judge, rate
    return found


def corrected(
    result: MeasureResult, measure: SuiteMeasure, calibration: JudgeCalibration
) -> RateInterval | None:
    """Return the rate that people would have found; None without a rate or usable labels."""
    if measure.kind != "rate" or result.successes is None or not result.n:
        return None
    passed = result.successes if measure.at_least else result.n - result.successes
    found = corrected_rate(passed, result.n, calibration.labels)
    if found is None or measure.at_least:
        return found
    return RateInterval(1 - found.rate, 1 - found.high, 1 - found.low, found.confidence)
