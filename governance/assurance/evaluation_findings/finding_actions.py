"""Open, repeat and close evaluation findings.

miss(…)              opens a finding, or counts another miss on the open one
propose_closing(…)   records that a later run passed
take_pass_back(…)    withdraws that proposal when the run no longer counts
close(…)             closes the finding, with the person's note
"""

from typing import Any

from governance.assurance.evaluation_findings import permissions, queries
from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.safety.access import require
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
)
from governance.operations.evaluations.releases import served_releases
from governance.operations.systems.models import AISystem

MAX_NOTE = 2000

OPENED = action(
    "evaluation.finding.opened",
    "opened a finding, because an evaluation missed its limit",
    target="EvaluationFinding",
    activity="create",
    severity="high",
    fields="number system suite measure run release tier point low high n limit",
    shape="bad",
)
MISSED_AGAIN = action(
    "evaluation.finding.missed_again",
    "noted a further miss on a finding of an evaluation",
    target="EvaluationFinding",
    activity="update",
    severity="medium",
    fields="number system suite measure run release tier point low high n limit misses",
    shape="bad",
)
PASSED = action(
    "evaluation.finding.passed",
    "noted that an evaluation with an open finding passes now",
    target="EvaluationFinding",
    activity="update",
    severity="informational",
    fields="number system suite measure run release tier point low high n limit",
    shape="ok",
)
PASS_TAKEN_BACK = action(
    "evaluation.finding.pass_taken_back",
    "took back that an evaluation with an open finding passes",
    target="EvaluationFinding",
    activity="update",
    severity="low",
    fields="number measure run",
    shape="stop",
)
CLOSED = action(
    "evaluation.finding.closed",
    "closed a finding of an evaluation",
    target="EvaluationFinding",
    activity="update",
    severity="low",
    fields="number measure passed_run",
    shape="ok",
)


def miss(
    run: EvaluationRun,
    suite: EvaluationSuite,
    system: AISystem,
    result: MeasureResult,
    measure: SuiteMeasure,
    *,
    tier: str,
) -> tuple[EvaluationFinding, bool]:
    """Open a finding, or count the miss on the open one. Return it and whether it is new."""
    found = queries.open_finding(system.id, suite.id, measure.key)
    is_new = found is None
    if found is None:
        found = EvaluationFinding(
            number=queries.next_number(),
            system_id=system.id,
            suite_id=suite.id,
            measure=measure.key,
            name=measure.name,
            first_run_id=run.id,
            last_run_id=run.id,
            created_at=clock.now(),
        )
        session().add(found)
        session().flush()
        record(OPENED, found, **_facts(found, run, suite, system, result, tier))
    else:
        found.last_run_id, found.passed_run_id, found.misses = run.id, None, found.misses + 1
        facts = _facts(found, run, suite, system, result, tier)
        record(MISSED_AGAIN, found, misses=found.misses, **facts)
    tenant_revision.advance()
    return found, is_new


def propose_closing(
    run: EvaluationRun,
    suite: EvaluationSuite,
    system: AISystem,
    result: MeasureResult,
    measure: SuiteMeasure,
    *,
    tier: str,
) -> None:
    """Record on the open finding, if there is one, that a later run passes.

    A pass of a release that isn't served yet can't clear a miss of another release.
    """
    found = queries.open_finding(system.id, suite.id, measure.key)
    if found is None or not _may_close(found, run):
        return
    found.passed_run_id = run.id
    record(PASSED, found, **_facts(found, run, suite, system, result, tier))
    tenant_revision.advance()


def _may_close(found: EvaluationFinding, run: EvaluationRun) -> bool:
    if evaluations.run(found.last_run_id).release == run.release:
        return True
    roles = served_releases.roles_of([run.system_id]).get(run.system_id)
    return roles is not None and run.release in roles and roles[run.release].is_served


def take_pass_back(found: EvaluationFinding, run: EvaluationRun, why: str) -> None:
    """Withdraw the proposal to close the finding, because its run no longer counts."""
    found.passed_run_id = None
    record(
        PASS_TAKEN_BACK,
        found,
        reason=f"{why}.",
        number=found.number,
        measure=found.measure,
        run=run.number,
    )
    tenant_revision.advance()


def _facts(
    found: EvaluationFinding,
    run: EvaluationRun,
    suite: EvaluationSuite,
    system: AISystem,
    result: MeasureResult,
    tier: str,
) -> dict[str, Any]:
    """Return the details that the audit log keeps of a miss or a pass."""
    return {
        "number": found.number,
        "system": system.key,
        "suite": suite.key,
        "measure": found.measure,
        "run": run.number,
        "release": run.release,
        "tier": tier,
        "point": _text(result.point),
        "low": _text(result.low),
        "high": _text(result.high),
        "n": result.n,
        "limit": _text(result.verdicts.get(tier, {}).get("limit")),
    }


def _text(value: float | None) -> str | None:
    """Return a figure as text, because the audit log accepts exact numbers only."""
    return None if value is None else f"{value:.6g}"


def close(found: EvaluationFinding, *, note: str) -> None:
    """Close the finding. Idempotent. Raise Invalid without a note."""
    require(permissions.CLOSE)
    session().refresh(found, with_for_update=True)
    if not found.is_open:
        return
    if not note.strip() or len(note) > MAX_NOTE:
        raise Invalid(
            "Enter what was done about it. The note is shown on the finding.", field="note"
        )
    passed = queries.standing_pass(found)
    found.closed_at, found.closed_by = clock.now(), current.person_id()
    found.closing_note = note.strip()
    record(
        CLOSED,
        found,
        reason=note.strip(),
        number=found.number,
        measure=found.measure,
        passed_run=passed,
    )
    tenant_revision.advance()
