"""Apply the consequences of a judged run, once.

    queue(event)     queues the work; runs in the run's own transaction
    follow(run_id)   opens, repeats or proposes to close findings; files a passing run as evidence

A run has no consequences if it failed, is stale or is older than another run. The same holds if
its AI system, suite or version is out of use, or if its release is neither served nor in a rollout.
An undecided measure triggers nothing. A run is not filed as evidence while a measure that controls
rest on is undecided.
"""

import io
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from governance.assurance.evaluation_findings import finding_actions, queries
from governance.assurance.evaluation_findings.models import EvaluationFinding, FollowedRun
from governance.assurance.evaluation_findings.sheet import passed_sheet
from governance.assurance.evidence import meridian_items, version_actions
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import EvidenceVersion
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.notifications.actions import Happening, notify
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.config import public_address
from governance.kernel.data.db import lock_tenant, session, transaction
from governance.kernel.work import jobs
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.events import RunJudged
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.releases import promotion, served_releases
from governance.operations.systems.models import AISystem

WORK = "follow evaluation run"
LOCK = "consequences of evaluations"
VALID_FOR = timedelta(days=31)  # Two undecided weeks don't make the evidence overdue.
NOTE = "Filed by Meridian when each mapped measure of a run passes"

FILED = action(
    "evaluation.evidence.filed",
    "filed a passed evaluation run as evidence",
    target="EvaluationRun",
    activity="update",
    severity="informational",
    fields="number evidence version sha256",
    shape="ok",
)

type Results = Sequence[tuple[MeasureResult, SuiteMeasure]]


def queue(event: RunJudged) -> None:
    """Queue the work separately, so that its failure can't roll back the run."""
    jobs.enqueue(WORK, event.run_id)


@work(WORK, waited_for=False)
def follow_run(item: WorkItem, _progress: Progress) -> None:
    """Apply the consequences of the run `item.target_id`, as Meridian."""
    if item.target_id is None:
        raise RuntimeError("the work names its run")
    who = current.actor()
    with (
        current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)),
        transaction(),
    ):
        follow(item.target_id)


def follow(run_id: UUID) -> FollowedRun:
    """Apply the consequences of a run. Return the existing record if they were applied before."""
    lock_tenant(LOCK)
    known = queries.followed(run_id)
    if known is not None:
        return known
    run = evaluations.run(run_id)
    suite, version, system = evaluations.about(run)
    why = _why_nothing(run, suite, version, system)
    if why:
        return _done(run, "nothing", why)
    results = [(row[0], row[1]) for row in evaluations.results_of([run.id])]
    tier = evaluations.judged_by(run)
    missed = False
    of_another_judge = {key for _run, key in judge_queries.stale([(run, suite.id)])}
    for result, measure in results:
        verdict = verdict_of(result, measure, tier)
        if measure.key in of_another_judge:
            continue  # Undecided, whatever the verdict says.
        if verdict == "fail":
            missed = True
            found, is_new = finding_actions.miss(run, suite, system, result, measure, tier=tier)
            if is_new:
                _tell(found, system)
        elif verdict == "pass":
            finding_actions.propose_closing(run, suite, system, result, measure, tier=tier)
    mapped = {row[0] for row in queries.measure_controls(suite.id)}
    if mapped & of_another_judge or not _passes(results, mapped, tier):
        return _done(run, "missed" if missed else "undecided")
    filed = _file(run, suite, version, system, results, tier)
    return _done(run, "missed" if missed else "passed", filed=filed)


def verdict_of(result: MeasureResult, measure: SuiteMeasure, tier: str) -> str:
    """Return "pass", "fail" or "undecided", or "" for a signal. No evaluated cases is undecided."""
    if measure.is_signal:
        return ""
    return (
        str(result.verdicts.get(tier, {}).get("verdict", "undecided")) if result.n else "undecided"
    )


def _why_nothing(
    run: EvaluationRun, suite: EvaluationSuite, version: SuiteVersion, system: AISystem
) -> str:
    """Return why a run has no consequences, or "" if it has."""
    if run.state != "judged" or run.outcome != "completed":
        return "The run has no results."
    if system.is_retired:
        return "The AI system is retired."
    if suite.is_retired or version.withdrawn_at is not None:
        return "The suite is out of use."
    if not promotion.is_fresh(run.ran_at):
        return f"The run is older than {promotion.FRESH_FOR.days} days."
    roles = served_releases.roles_of([system.id]).get(system.id)
    if served_releases.is_unknown(roles, run.release):
        return (
            f"Release {run.release} isn't served, and no rollout has it."
            if roles
            else f"No release of {system.name} is stated as served."
        )
    newer = queries.newer_run(run, suite.id)
    return f"Run {newer.number:,} is newer." if newer else ""


def _passes(results: Results, mapped: set[str], tier: str) -> bool:
    """Check that the run has a measure that a control rests on, and that all of them pass."""
    verdicts = {measure.key: verdict_of(result, measure, tier) for result, measure in results}
    asked = mapped & verdicts.keys()
    return bool(asked) and all(verdicts[key] == "pass" for key in asked)


def _file(
    run: EvaluationRun,
    suite: EvaluationSuite,
    version: SuiteVersion,
    system: AISystem,
    results: Results,
    tier: str,
) -> EvidenceVersion:
    """Store the run as a version of the evidence item of its AI system and suite."""
    day = (run.ran_at or run.created_at).date()
    address = f"{public_address()}/t/{current.actor().tenant_slug}/evaluations/runs/{run.id}"
    with filed_by_meridian():
        item = meridian_items.item_for(
            f"Evaluation of {system.name}: {suite.name}",
            cadence="monthly",
            control_ids=[row[1].id for row in queries.measure_controls(suite.id)],
            note=NOTE,
        )
        filed = version_actions.upload_version(
            item,
            io.BytesIO(
                passed_sheet(run, suite, version, system, results, tier=tier, address=address)
            ),
            f"evaluation-{system.key}-run-{run.number}.csv",
            collected_on=clock.today(),
            period_from=min(run.week, day),
            period_to=day,
            valid_until=day + VALID_FOR,
            source="evaluation",
        )
    record(
        FILED,
        run,
        number=run.number,
        evidence=item.ref,
        version=filed.number,
        sha256=filed.sha256,
    )
    return filed


def _tell(found: EvaluationFinding, system: AISystem) -> None:
    """Notify the owner of the AI system."""
    if system.owner_id is None:
        return
    what = Happening(
        "finding",
        found.id,
        "opened a finding:",
        f"{found.name} of {system.name} misses its limit",
        f"evaluations/findings/{found.id}",
    )
    notify([system.owner_id], what)


def _done(
    run: EvaluationRun, outcome: str, why: str = "", *, filed: EvidenceVersion | None = None
) -> FollowedRun:
    row = FollowedRun(
        run_id=run.id,
        outcome=outcome,
        why=why,
        evidence_id=filed.evidence_id if filed else None,
        evidence_version_id=filed.id if filed else None,
        created_at=clock.now(),
    )
    session().add(row)
    session().flush()
    return row
