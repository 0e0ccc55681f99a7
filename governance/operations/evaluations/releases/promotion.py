"""Check that a release's evaluations allow its promotion. Only a pass passes.

    promotion_verdict(system_id, release)   clear, or each reason against it; three statements
    evaluated(system_id, release)           the active suites, each with its newest run for it
                                            and the results of these runs; one statement
    newest_release(system_id)               the most recently evaluated release
    select_releases(system_id)              the evaluated releases, with the day of the last run
    run_numbers(system_id, release)         its judged runs; a rollout's plan records that they count
    is_fresh(ran_at)                        True if a run is recent enough to count

Each active suite that ever evaluated the system must have a run of this release that counts: its
newest one, by the newest published version, no older than FRESH_FOR, with a pass in each measure
that decides.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, String, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by, distinct_on

from governance.kernel import clock, formatting
from governance.kernel.data.db import session
from governance.kernel.data.selects import Rows, Selected, read_rows
from governance.operations.evaluations import figures, queries
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.systems import queries as systems

FRESH_FOR = timedelta(days=14)

type ReasonKind = Literal[
    "retired", "no suite", "no run", "withdrawn", "old version", "failed run", "stale", "measure"
]


@dataclass(frozen=True, slots=True)
class PromotionReason:
    """A reason against a promotion. `verdict` is "fail" or "undecided" for a measure."""

    kind: ReasonKind
    says: str
    suite: str = ""
    measure: str = ""
    verdict: str = ""
    run_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class PromotionVerdict:
    """The verdict of a release's evaluations on its promotion, under a policy tier."""

    system_id: UUID
    release: str
    tier: str
    reasons: tuple[PromotionReason, ...]

    @property
    def is_clear(self) -> bool:
        return not self.reasons


def is_fresh(ran_at: datetime | None) -> bool:
    """Return True if a run is recent enough to pass a gate, or to have consequences."""
    return ran_at is not None and clock.now() - ran_at <= FRESH_FOR


def newest_release(system_id: UUID) -> str | None:
    """Return the most recently evaluated release."""
    r = EvaluationRun
    query = select(r.release).where(r.system_id == system_id, r.state == "judged")
    return session().scalar(query.order_by(r.ran_at.desc(), r.number.desc()).limit(1))


def select_releases(system_id: UUID, *, limit: int = 50) -> Select[Any]:
    """Select the releases with a judged run as [release, day of its last run], newest first."""
    r = EvaluationRun
    ran, number = func.max(r.ran_at).label("ran"), func.max(r.number).label("number")
    found = (
        select(r.release, ran, number)
        .where(r.system_id == system_id, r.state == "judged")
        .group_by(r.release)
        .order_by(ran.desc(), number.desc())
        .limit(limit)
        .subquery()
    )
    each = func.jsonb_build_array(found.c.release, found.c.ran)
    return select(
        func.jsonb_agg(aggregate_order_by(each, found.c.ran.desc(), found.c.number.desc()))
    )


def is_evaluated(system_id: UUID, release: str) -> bool:
    """Return True if the release has a judged run of its own."""
    r = EvaluationRun
    query = select(r.id).where(r.system_id == system_id, r.state == "judged", r.release == release)
    return session().scalar(query.limit(1)) is not None


def run_numbers(system_id: UUID, release: str, *, limit: int = 100) -> list[int]:
    """Return the numbers of the release's judged runs, newest first."""
    r = EvaluationRun
    query = select(r.number).where(
        r.system_id == system_id, r.state == "judged", r.release == release
    )
    return list(session().scalars(query.order_by(r.number.desc()).limit(limit)))


def promotion_verdict(system_id: UUID, release: str) -> PromotionVerdict:
    """Return the verdict for a system of the acting tenant. Raises NotFound."""
    system, tier = systems.system(system_id), queries.policy_tier()
    if system.is_retired:
        reasons = [PromotionReason("retired", f"{system.name} is retired.")]
    else:
        reasons = list(_reasons(system.id, release, tier))
    return PromotionVerdict(system.id, release, tier, tuple(reasons))


def _reasons(system_id: UUID, release: str, tier: str) -> Iterator[PromotionReason]:
    found = evaluated(system_id, release)
    if not found.suites:
        yield PromotionReason("no suite", "No evaluation suite was ever run on this AI system.")
    for suite, number, run, version in found.suites:
        if run is None or version is None:
            says = f"Release {release} has no run of {suite.name}."
            yield PromotionReason("no run", says, suite.name)
            continue
        blocked = _of_run(run, version, suite, number)
        if blocked is not None:
            yield blocked
            continue
        results = [pair for pair in found.results if pair[0].run_id == run.id]
        yield from _of_measures(run, suite, results, tier, found.stale)


def _of_run(
    run: EvaluationRun, version: SuiteVersion, suite: EvaluationSuite, newest: int | None
) -> PromotionReason | None:
    """Return why the run as a unit doesn't count."""
    kind: ReasonKind
    if version.withdrawn_at is not None or newest is None:
        kind, says = "withdrawn", f"Version {version.number} of {suite.name} was withdrawn."
    elif version.number < newest:
        kind = "old version"
        says = (
            f"{suite.name} has version {newest}, and this release was evaluated by version"
            f" {version.number}."
        )
    elif run.outcome != "completed":
        kind, says = "failed run", f"Run {run.number:,} of {suite.name} {run.outcome}."
    elif not is_fresh(run.ran_at):
        day = formatting.long_day(run.ran_at) if run.ran_at else "an unknown day"
        kind = "stale"
        says = f"The newest run of {suite.name} is of {day}, more than {FRESH_FOR.days} days ago."
    else:
        return None
    return PromotionReason(kind, says, suite.name, run_id=run.id)


def _of_measures(
    run: EvaluationRun,
    suite: EvaluationSuite,
    results: Sequence[tuple[MeasureResult, SuiteMeasure]],
    tier: str,
    stale: Mapping[tuple[UUID, str], str],
) -> Iterator[PromotionReason]:
    for result, measure in results:
        judged = result.verdicts.get(tier, {})
        other_judge = stale.get((run.id, measure.key), "")
        verdict = "undecided" if other_judge else str(judged.get("verdict", "undecided"))
        if measure.is_signal or (verdict == "pass" and result.n):
            continue
        yield PromotionReason(
            "measure",
            f"{measure.name}: {other_judge}." if other_judge else sentence(measure, result, judged),
            suite.name,
            measure.key,
            "fail" if verdict == "fail" else "undecided",
            run.id,
        )


def sentence(measure: SuiteMeasure, result: MeasureResult, judged: Any) -> str:
    """Return "Hallucination is 4.6% (3.2 to 6.4%), and the limit is ≤ 3.0%."."""
    if not result.n:
        return f"{measure.name} has no result."
    figure = figures.amount(result.point, measure.unit)
    interval = figures.interval(result.low, result.high, measure.unit)
    limit = figures.limit(measure, judged.get("limit"))
    open_ = "" if judged.get("verdict") == "fail" else f" {figures.needs(judged.get('more'))}."
    return f"{measure.name} is {figure} ({interval}), and the limit is {limit}.{open_}"


type SuiteRun = tuple[EvaluationSuite, int | None, EvaluationRun | None, SuiteVersion | None]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The active suites that were run on a system, and the results for one release.

    Each suite has its newest published version, and its newest judged run of the release with the
    version that it ran. The reasons why a measure of a run no longer decides are by run and slug.
    `has_run` counts retired suites as well.
    """

    suites: Sequence[SuiteRun]
    results: Sequence[tuple[MeasureResult, SuiteMeasure]]
    stale: Mapping[tuple[UUID, str], str]
    has_run: bool


def evaluated(system_id: UUID, release: str) -> Evaluated:
    """Return the results of a release's evaluations. Runs one statement."""
    suites, rows, ran, results, measures, judges = read_rows(
        *EVALUATED, system_id=system_id, release=release
    )
    versions = {each.id: each for each in ran}
    runs = {suite_id: (run, versions[run.version_id]) for run, suite_id in rows}
    return Evaluated(
        [(suite, number, *runs.get(suite.id, (None, None))) for suite, number in suites],
        queries.with_measures(results, measures),
        judge_queries.stale_by(rows, judge_queries.by_measure(judges)),
        bool(rows),
    )


def _suites() -> Select[EvaluationSuite, int | None]:
    newest = (
        select(SuiteVersion.suite_id, func.max(SuiteVersion.number).label("number"))
        .where(SuiteVersion.published_at.is_not(None), SuiteVersion.withdrawn_at.is_(None))
        .group_by(SuiteVersion.suite_id)
        .subquery()
    )
    was_run = (
        select(EvaluationRun.id)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .where(
            SuiteVersion.suite_id == EvaluationSuite.id,
            EvaluationRun.system_id == _SYSTEM,
            EvaluationRun.state == "judged",
        )
        .exists()
    )
    return (
        select(EvaluationSuite, newest.c.number)
        .select_from(EvaluationSuite)
        .outerjoin(newest, newest.c.suite_id == EvaluationSuite.id)
        .where(EvaluationSuite.retired_at.is_(None), was_run)
        .order_by(EvaluationSuite.name)
    )


def _newest_runs[*Columns](query: Select[*Columns]) -> Select[*Columns]:
    """Restrict a query to the newest judged run of each suite on the release."""
    return (
        query.select_from(EvaluationRun)
        .join(SuiteVersion, SuiteVersion.id == EvaluationRun.version_id)
        .where(
            EvaluationRun.system_id == _SYSTEM,
            EvaluationRun.release == bindparam("release", type_=String()),
            EvaluationRun.state == "judged",
        )
        .ext(distinct_on(SuiteVersion.suite_id))
        .order_by(SuiteVersion.suite_id, EvaluationRun.ran_at.desc(), EvaluationRun.number.desc())
    )


_SYSTEM = bindparam("system_id", type_=Uuid())
# The statement of `evaluated`.
EVALUATED: tuple[Selected[Any], ...] = (
    Selected(_suites),
    Selected(lambda: _newest_runs(select(EvaluationRun, SuiteVersion.suite_id))),
    Rows(
        SuiteVersion,
        lambda m: m.id.in_(_newest_runs(select(EvaluationRun.version_id))),
        lambda m: (m.id,),
    ),
    *queries.results_in(lambda: _newest_runs(select(EvaluationRun.id))),
    judge_queries.OF_SYSTEM,
)
