"""Reverse consequences of runs whose figures no longer count.

    queue(event)          queues the work when a suite version is withdrawn or a judge changes
    reconsider(suite_id)  withdraws the evidence of such runs, and their proposals to close findings

A withdrawn version, and a judge that human labels don't confirm, reverse every run, because the
figures were wrong from the start. A change of judge reverses only what is still valid: expired
evidence was judged by the judge of its time. A miss stays open until a person closes it.
"""

from collections.abc import Mapping
from itertools import batched
from uuid import UUID

from governance.assurance.evaluation_findings import finding_actions, queries
from governance.assurance.evaluation_findings.consequence_actions import LOCK
from governance.assurance.evidence import withdrawing
from governance.assurance.evidence.deletion_guard import filed_by_meridian
from governance.assurance.evidence.models import EvidenceVersion
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, transaction
from governance.kernel.work import jobs
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.evaluations.events import JudgeChanged, SuiteVersionWithdrawn
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import EvaluationRun, SuiteVersion

WORK = "reconsider evaluation runs"
STEP = 200  # Runs per transaction.


def queue(event: JudgeChanged | SuiteVersionWithdrawn) -> None:
    """Queue the work separately, so that its failure can't roll back the change."""
    jobs.enqueue(WORK, event.suite_id)


@work(WORK)
def reconsider_suite(item: WorkItem, _progress: Progress) -> None:
    """Reverse consequences of runs of the suite `item.target_id`, as Meridian."""
    if item.target_id is None:
        raise RuntimeError("the work names its suite")
    who = current.actor()
    with current.acting_as(system_actor_in(who.tenant_id, who.tenant_slug, who.tenant_name)):
        reconsider(item.target_id)


def reconsider(suite_id: UUID) -> None:
    """Check each run of the suite that has consequences. Idempotent."""
    with transaction(read_only=True):
        filed = [row[0].id for row in queries.filed(suite_id)]
    for ids in batched(filed, STEP):
        with transaction():
            lock_tenant(LOCK)
            _withdraw_evidence(suite_id, ids)
    with transaction():
        lock_tenant(LOCK)
        _take_passes_back(suite_id)


def _withdraw_evidence(suite_id: UUID, ids: tuple[UUID, ...]) -> None:
    rows = queries.filed(suite_id, ids)
    runs = [(row[1], suite_id) for row in rows]
    stale, unsound = judge_queries.stale(runs), judge_queries.unsound(runs)
    mapped = queries.mapped_since(suite_id)
    with filed_by_meridian():
        for followed, run, version, evidence in rows:
            rested_on = {
                measure
                for measure, removed_at in mapped
                if removed_at is None or removed_at > followed.created_at
            }
            why = _why(run, version, evidence, rested_on, stale, unsound)
            if why:
                withdrawing.withdraw(evidence, reason=f"Run {run.number:,}: {why}.")


type Reasons = Mapping[tuple[UUID, str], str]


def _why(
    run: EvaluationRun,
    version: SuiteVersion,
    evidence: EvidenceVersion,
    rested_on: set[str],
    stale: Reasons,
    unsound: Reasons,
) -> str:
    """Return why a filed run is no longer proof, or "" if it still is."""
    if version.withdrawn_at is not None:
        return f"version {version.number} of the suite was withdrawn"
    reasons = unsound if evidence.valid_until < clock.today() else stale
    return next((reasons[run.id, key] for key in sorted(rested_on) if (run.id, key) in reasons), "")


def _take_passes_back(suite_id: UUID) -> None:
    for found, run, version in queries.passed_since(suite_id):
        stale = judge_queries.stale([(run, suite_id)])
        if why := queries.undecided(found, run, version, stale):
            finding_actions.take_pass_back(found, run, why)
