"""Request an evaluation run from runners, and track their progress.

request(…)              sends a message to each runner; idempotent
report(request, …)      a runner reports its progress, or its failure
arrived(request, run)   its run was pushed
cancel(request)         the runner learns it with its next report
end_unanswered()        every hour: ends requests without a timely report
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.webhooks.queue_actions import send
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety import access
from governance.operations.evaluations import permissions
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    SuiteVersion,
)
from governance.operations.evaluations.requests import queries as request_queries
from governance.operations.evaluations.requests import runner_messages
from governance.operations.evaluations.requests.models import EvaluationRequest
from governance.operations.evaluations.runs import actions as run_actions
from governance.operations.systems.models import AISystem

ANSWERED_WITHIN = timedelta(hours=24)  # Time until the first report; messages are retried meanwhile
SILENT_FOR = timedelta(hours=6)  # Time after a report
MAX_OPEN = 20  # Open requests per tenant
MAX_SAMPLES = 10_000_000
MAX_NOTE_LENGTH = 200
NO_RUNNER = "No runner is registered. Send the run to the address on this page instead."

REQUESTED = action(
    "evaluation.request.sent",
    "asked runners for an evaluation run",
    target="EvaluationRequest",
    activity="create",
    severity="informational",
    fields="system release suite version samples runners",
)
STARTED = action(
    "evaluation.request.started",
    "reported that an evaluation has started",
    target="EvaluationRequest",
    activity="update",
    severity="informational",
    fields="system release total",
)
FAILED = action(
    "evaluation.request.failed",
    "reported that an evaluation couldn't run",
    target="EvaluationRequest",
    activity="update",
    severity="low",
    fields="system release note",
    shape="bad",
)
DONE = action(
    "evaluation.request.done",
    "sent the run of an evaluation request",
    target="EvaluationRequest",
    activity="update",
    severity="informational",
    fields="system release run",
    shape="ok",
)
CANCELLED = action(
    "evaluation.request.cancelled",
    "cancelled an evaluation request",
    target="EvaluationRequest",
    activity="update",
    severity="informational",
    fields="system release",
)
UNANSWERED = action(
    "evaluation.request.unanswered",
    "ended an evaluation request that no runner answered",
    target="EvaluationRequest",
    activity="update",
    severity="low",
    fields="system release heard_at",
    shape="bad",
)


class RequestEnded(DomainError):
    """The request has ended, so the runner can stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A runner's progress: cases done of a total, and a note, or the reason for its failure."""

    done: int = 0
    total: int = 0
    note: str = ""
    failed: bool = False


def request(
    *,
    system: AISystem,
    suite: EvaluationSuite,
    version: SuiteVersion,
    release: str,
    samples: int | None = None,
) -> EvaluationRequest:
    """Send a request to the runners. Returns an open request for the same run. Raises Invalid."""
    access.require(permissions.REQUEST)
    run_actions.check(system, suite, version, release)
    if samples is not None and not 1 <= samples <= MAX_SAMPLES:
        raise Invalid(f"Ask for 1 to {MAX_SAMPLES:,} cases.", field="samples")
    lock_tenant("evaluation requests")
    if (there := request_queries.same(system.id, version.id, release.strip())) is not None:
        return there
    if request_queries.open_count() >= MAX_OPEN:
        raise DomainError(too_many())
    row = EvaluationRequest(
        system_id=system.id,
        version_id=version.id,
        release=release.strip(),
        samples=samples,
        requested_by=current.actor().person_id,
        ends_at=clock.now() + ANSWERED_WITHIN,
        created_at=clock.now(),
    )
    session().add(row)
    session().flush()
    sent = send(runner_messages.EVENT_TYPE, runner_messages.message(row, system, suite, version))
    if not sent:
        raise DomainError(NO_RUNNER)
    record(
        REQUESTED,
        row,
        system=system.key,
        release=row.release,
        suite=suite.key,
        version=version.number,
        samples=samples,
        runners=len(sent),
    )
    return row


def too_many() -> str:
    return f"{MAX_OPEN} requests are open. Wait for one to end, or cancel one."


def report(row: EvaluationRequest, given: Report) -> None:
    """Store a runner's report. Raises RequestEnded if it can stop, and Invalid with the field."""
    _check(given)
    session().refresh(row, with_for_update=True)
    _check_open(row)
    row.done, row.total, row.note = given.done, given.total, given.note.strip()
    row.heard_at, row.ends_at = clock.now(), clock.now() + SILENT_FOR
    if given.failed:
        _end(row, "failed", FAILED, note=row.note)
    elif row.state == "sent":
        row.state = "running"
        record(STARTED, row, **_about(row), total=row.total)


def _check(given: Report) -> None:
    for name, value in (("done", given.done), ("total", given.total)):
        if not 0 <= value <= MAX_SAMPLES:
            raise Invalid(f"{name}: send a whole number up to {MAX_SAMPLES:,}.", field=name)
    if given.total and given.done > given.total:
        raise Invalid(f"done: {given.done:,} of {given.total:,} is too many.", field="done")
    if len(given.note) > MAX_NOTE_LENGTH or not given.note.isprintable():
        raise Invalid(f"note: send up to {MAX_NOTE_LENGTH} printable characters.", field="note")
    if given.failed and not given.note.strip():
        raise Invalid("note: say why the evaluation failed.", field="note")


def _check_open(row: EvaluationRequest) -> None:
    if not row.is_open:
        raise RequestEnded(f"This request has ended: it is {row.state}. Stop the evaluation.")


def check_run(
    row: EvaluationRequest, system: AISystem, version: SuiteVersion, release: str
) -> None:
    """Raise unless a run may answer the request: not canceled, and for the same run."""
    session().refresh(row, with_for_update=True)
    if row.state == "cancelled":
        _check_open(row)
    if (row.system_id, row.version_id, row.release) != (system.id, version.id, release):
        raise Invalid(
            "This request is for another system, suite version or release.", field="request"
        )


def arrived(row: EvaluationRequest, run: EvaluationRun) -> None:
    """Link the run that answers the request, even if late. A second run changes nothing."""
    if row.run_id is not None:
        return
    row.run_id, row.heard_at = run.id, clock.now()
    _end(row, "done", DONE, run=run.number)


def cancel(row: EvaluationRequest) -> None:
    """Cancel an open request. Idempotent."""
    access.require(permissions.REQUEST)
    session().refresh(row, with_for_update=True)
    if row.state == "cancelled":
        return
    if not row.is_open:
        raise DomainError("This request has ended, so it can't be cancelled.")
    _end(row, "cancelled", CANCELLED)


def end_unanswered(now: datetime) -> int:
    """End the requests without a timely report. Return how many."""
    ended = request_queries.overdue(now)
    for row in ended:
        _end(row, "unanswered", UNANSWERED, heard_at=row.heard_at)
    return len(ended)


def _end(row: EvaluationRequest, state: str, name: Any, **facts: Any) -> None:
    row.state, row.ended_at = state, clock.now()
    record(name, row, **_about(row), **facts)


def _about(row: EvaluationRequest) -> dict[str, Any]:
    return {"system": request_queries.about(row).AISystem.key, "release": row.release}
