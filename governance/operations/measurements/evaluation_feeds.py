"""Count evaluation cases as minutes of an indicator, so that measures have error budgets.

    feed(indicator, suite, measure)    makes each later judged run a minute: good and total cases
    stop(indicator)                    ends counting; its minutes stay
    choices()                          the measures that can be counted

A run counts only if its release was served when it ended, by the record of rollouts or a person's
statement. Without either, no run counts. A run is one minute, at its end; runs that end in the same
minute add up. Weeks have few minutes with data, so an objective on such an indicator requires no
coverage.
"""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session, transaction
from governance.kernel.errors import Invalid
from governance.kernel.intervals import whole_minute
from governance.kernel.work import jobs
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.events import RunJudged
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.measurements import actions
from governance.operations.measurements.evaluation_models import EvaluationFeed
from governance.operations.measurements.models import Indicator
from governance.operations.rollouts import served_releases

WORK = "count evaluation run"
LOCK = "evaluation feeds"
NO_REASON_FOR = timedelta(hours=47)  # Maximum age; older minutes are a backfill

STARTED = action(
    "indicator.evaluation.started",
    "made an indicator count the cases of an evaluation",
    target="Indicator",
    activity="update",
    severity="informational",
    fields="key suite measure",
)
STOPPED = action(
    "indicator.evaluation.stopped",
    "ended that an indicator counts the cases of an evaluation",
    target="Indicator",
    activity="update",
    severity="low",
    fields="key suite measure",
    shape="stop",
)


def feed_of(indicator_id: UUID) -> tuple[EvaluationFeed, EvaluationSuite] | None:
    """Return the open feed of an indicator, with its suite."""
    f = EvaluationFeed
    query = (
        select(f, EvaluationSuite)
        .join(EvaluationSuite, EvaluationSuite.id == f.suite_id)
        .where(f.indicator_id == indicator_id, f.stopped_at.is_(None))
    )
    row = session().execute(query).one_or_none()
    return None if row is None else (row[0], row[1])


def choices() -> list[tuple[str, str]]:
    """Return (value, label) of each deciding share of cases that can be counted.

    They are in published versions of active suites.
    """
    query = (
        select(EvaluationSuite.key, EvaluationSuite.name, SuiteMeasure.key, SuiteMeasure.name)
        .join(SuiteVersion, SuiteVersion.suite_id == EvaluationSuite.id)
        .join(SuiteMeasure, SuiteMeasure.version_id == SuiteVersion.id)
        .where(
            EvaluationSuite.retired_at.is_(None),
            SuiteVersion.published_at.is_not(None),
            SuiteVersion.withdrawn_at.is_(None),
            SuiteMeasure.kind == "rate",
            SuiteMeasure.is_signal.is_(False),
        )
        .order_by(EvaluationSuite.name, SuiteVersion.number.desc(), SuiteMeasure.position)
    )
    found: dict[str, str] = {}
    for suite, suite_name, measure, name in session().execute(query):
        found.setdefault(f"{suite}/{measure}", f"{suite_name}: {name}")
    return list(found.items())


def feed(indicator: Indicator, chosen: str) -> None:
    """Count a measure ("claims-grounding/hallucination") from the next run.

    Raises Invalid if it can't be counted, and IndicatorRetired.
    """
    if indicator.is_retired:
        raise actions.IndicatorRetired(f"{indicator.name} is retired and takes no more minutes.")
    if indicator.kind != "ratio":
        raise Invalid(
            "Only an indicator that counts good and total can count cases.", field="measure"
        )
    if indicator.source != "push":
        raise Invalid("This indicator is read from Prometheus already.", field="measure")
    if chosen not in dict(choices()):
        raise Invalid("Choose one of the list.", field="measure")
    key, _, measure = chosen.partition("/")
    suite = evaluations.suite(key)
    lock_tenant(LOCK)
    there = feed_of(indicator.id)
    if there is not None and (there[0].suite_id, there[0].measure) == (suite.id, measure):
        return
    if there is not None:
        _stop(indicator, *there)
    session().add(
        EvaluationFeed(
            indicator_id=indicator.id,
            suite_id=suite.id,
            measure=measure,
            started_by=current.person_id(),
            created_at=clock.now(),
        )
    )
    session().flush()
    record(STARTED, indicator, key=indicator.key, suite=suite.key, measure=measure)


def stop(indicator: Indicator) -> None:
    """Stop counting further runs. Idempotent."""
    lock_tenant(LOCK)
    there = feed_of(indicator.id)
    if there is not None:
        _stop(indicator, *there)


def _stop(indicator: Indicator, found: EvaluationFeed, suite: EvaluationSuite) -> None:
    found.stopped_at = clock.now()
    session().flush()
    record(STOPPED, indicator, key=indicator.key, suite=suite.key, measure=found.measure)


# ---- counting


def queue(event: RunJudged) -> None:
    """Queue the count of a run if an indicator of its system is fed. It must not undo the run."""
    if _fed(event.version_id, event.system_id):
        jobs.enqueue(WORK, event.run_id)


def _fed(version_id: UUID, system_id: UUID) -> list[tuple[Indicator, str]]:
    """Return the system's active indicators that count a measure of this version's suite."""
    f = EvaluationFeed
    query = (
        select(Indicator, f.measure)
        .join(f, f.indicator_id == Indicator.id)
        .join(SuiteVersion, SuiteVersion.suite_id == f.suite_id)
        .where(
            SuiteVersion.id == version_id,
            Indicator.system_id == system_id,
            Indicator.retired_at.is_(None),
            f.stopped_at.is_(None),
        )
        .order_by(Indicator.id)
    )
    return [(row[0], row[1]) for row in session().execute(query)]


@work(WORK, waited_for=False)
def count_run(item: WorkItem, _progress: Progress) -> None:
    """Count the run `item.target_id`, as Meridian."""
    if item.target_id is None:
        raise RuntimeError("the work names its run")
    who = current.actor()
    with (
        current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
        transaction(),
    ):
        _count(item.target_id)


def _count(run_id: UUID) -> None:
    run = evaluations.run(run_id)
    ended = run.ran_at or run.created_at
    served = served_releases.served_at(run.system_id, ended)
    if run.release not in served:
        return
    lock_tenant(LOCK)  # Runs of one minute are added up once.
    at = whole_minute(ended)
    results = evaluations.results_of(_of_minute(run, at, served))
    rows: list[tuple[UUID, datetime, int, int]] = []
    for indicator, key in _fed(run.version_id, run.system_id):
        counts = [
            _good(result, measure)
            for result, measure in results
            if measure.key == key and result.successes is not None
        ]
        good, total = sum(each[0] for each in counts), sum(each[1] for each in counts)
        if total:
            rows.append((indicator.id, at, good, total))
    if rows:
        is_late = clock.now() - at > NO_REASON_FOR
        actions.store(rows, backfill_reason=f"Evaluation run {run.number}" if is_late else None)


def _of_minute(run: EvaluationRun, at: datetime, served: set[str]) -> list[UUID]:
    """Return the runs of counting releases, same system and suite, that ended in the minute."""
    r = EvaluationRun
    suite_of = select(SuiteVersion.suite_id).where(SuiteVersion.id == run.version_id)
    query = (
        select(r.id)
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .where(
            r.system_id == run.system_id,
            r.state == "judged",
            r.ran_at >= at,
            r.ran_at < at + timedelta(minutes=1),
            SuiteVersion.suite_id == suite_of.scalar_subquery(),
            r.release.in_(served),
        )
    )
    return list(session().scalars(query))


def _good(result: MeasureResult, measure: SuiteMeasure) -> tuple[int, int]:
    """Return good and total cases. For a measure with an upper limit, counted cases are bad."""
    counted = result.successes or 0
    return (counted if measure.at_least else result.n - counted), result.n
