"""Run a playbook, in an incident or as a drill.

    start_run             start a run of the current version
    do_step, skip_step    record a step; an action step needs the person's own permission
    end_run               finish the run and upload it as evidence

A run keeps the version it started with, even if the playbook changes meanwhile.
"""

from uuid import UUID

from governance.assurance.evidence.reference_numbers import next_ref
from governance.assurance.playbooks import queries, run_evidence, step_actions
from governance.assurance.playbooks.actions import MAX_TEXT_LENGTH, check_live, next_drill
from governance.assurance.playbooks.models import (
    PlaybookRun,
    PlaybookStepResult,
    PlaybookVersion,
)
from governance.assurance.playbooks.queries import RunProgress
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import plural

RUN_STARTED = action(
    "playbook.run.started",
    "started a playbook",
    target="PlaybookRun",
    activity="create",
    severity="low",
    fields="ref title version incident drill",
)
STEP_DONE = action(
    "playbook.step.done",
    "completed a playbook step",
    target="PlaybookRun",
    activity="update",
    severity="low",
    fields="ref title step effect incident",
    shape="ok",
)
STEP_SKIPPED = action(
    "playbook.step.skipped",
    "skipped a playbook step",
    target="PlaybookRun",
    activity="update",
    severity="low",
    fields="ref title step incident",
)
RUN_ENDED = action(
    "playbook.run.ended",
    "finished a playbook run",
    target="PlaybookRun",
    activity="update",
    severity="low",
    fields="ref title done skipped incident evidence version",
    shape="ok",
)


class RunOver(DomainError):
    """The run is finished, so its steps can't change."""


def start_run(
    version_id: UUID,
    *,
    incident_id: UUID | None = None,
    incident_ref: str | None = None,
    is_drill: bool = False,
) -> PlaybookRun:
    """Start a run of a version. Raises Stale unless it is the current one.

    A run needs an incident unless it is a drill. If an unfinished run exists, for example after a
    double click, return that one.
    """
    from_version = find(PlaybookVersion, version_id, what="playbook")
    book = queries.playbook(from_version.playbook_id, lock=True)
    check_live(book)
    if from_version.number != book.version:
        raise Stale(
            f"{book.title} was changed to version {book.version}. Review it, then start again."
        )
    if incident_id is None and not is_drill:
        raise Invalid("Open the incident to run this playbook in it, or start a drill.")
    started = queries.open_run(book.id, incident_id=incident_id, is_drill=is_drill)
    if started is not None:
        return started
    made = PlaybookRun(
        ref=next_ref(PlaybookRun.ref, "RUN", width=2),
        playbook_id=book.id,
        version_id=from_version.id,
        incident_id=incident_id,
        incident_ref=incident_ref,
        is_drill=is_drill,
        started_by=current.actor().person_id,
        ended_by=None,
        ended_at=None,
        summary="",
        evidence_version_id=None,
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    record(
        RUN_STARTED,
        made,
        ref=made.ref,
        title=book.title,
        version=from_version.number,
        incident=incident_ref,
        drill=is_drill,
    )
    return made


def do_step(of: PlaybookRun, number: int, *, note: str = "") -> PlaybookStepResult:
    """Complete a step. An action step runs now, and raises Forbidden without its permission.

    In a drill, action steps change nothing. The caller must lock the run.
    """
    found = _check_open(of, number)
    step, existing = found.step, found.result
    if existing is not None and existing.state == "done":
        return existing
    effect = ""
    if step.is_action:
        reason = f"{of.incident_ref or of.ref}: {step.title}"
        effect = (
            "drill: nothing was changed"
            if of.is_drill
            else step_actions.carry_out(step, reason=reason)
        )
    result = _write_result(of, found, "done", note, effect)
    record(
        STEP_DONE,
        of,
        reason=note.strip() or None,
        ref=of.ref,
        title=step.title,
        step=number,
        effect=effect or None,
        incident=of.incident_ref,
    )
    return result


def skip_step(of: PlaybookRun, number: int, *, reason: str) -> PlaybookStepResult:
    """Skip a step and record the reason. Raises Stale if it was already completed."""
    found = _check_open(of, number)
    if not reason.strip():
        raise Invalid("Enter why you skip this step.", field="note")
    if found.result is not None:
        if found.result.state == "done":
            raise Stale(f"Step {number} was completed meanwhile. It can't be skipped.")
        return found.result
    result = _write_result(of, found, "skipped", reason, "")
    record(
        STEP_SKIPPED,
        of,
        reason=reason.strip(),
        ref=of.ref,
        title=found.step.title,
        step=number,
        incident=of.incident_ref,
    )
    return result


def end_run(of: PlaybookRun, *, summary: str = "") -> PlaybookRun:
    """Finish a run and upload it as evidence. Idempotent.

    The caller must lock the run. Raises Invalid if a step is open, or if all were skipped.
    """
    if of.ended_at is not None:
        return of
    found = queries.progress(of)
    if found.left:
        raise Invalid(
            f"{plural(found.left, 'step')} {'is' if found.left == 1 else 'are'} open. Complete or"
            " skip each one before you finish the run."
        )
    if not found.done:
        raise Invalid("Every step was skipped, so this run proves nothing. Complete at least one.")
    of.ended_at, of.ended_by = clock.now(), current.actor().person_id
    of.summary = summary.strip()[:MAX_TEXT_LENGTH]
    if of.is_drill:
        found.playbook.next_drill_on = next_drill(found.playbook.drill_every_days)
    item, version = run_evidence.file_run(found)
    of.evidence_version_id = version.id
    record(
        RUN_ENDED,
        of,
        reason=of.summary or None,
        ref=of.ref,
        title=found.playbook.title,
        done=found.done,
        skipped=found.skipped,
        incident=of.incident_ref,
        evidence=item.ref,
        version=version.number,
    )
    return of


def _write_result(
    of: PlaybookRun, found: queries.RunStep, state: str, note: str, effect: str
) -> PlaybookStepResult:
    """Write the result of a step. Completing a skipped step replaces its result."""
    result = found.result or PlaybookStepResult(run_id=of.id, position=found.number)
    result.state, result.note, result.effect = state, note.strip()[:MAX_TEXT_LENGTH], effect
    result.recorded_by, result.created_at = current.actor().person_id, clock.now()
    session().add(result)
    session().flush()
    return result


def _check_open(of: PlaybookRun, number: int) -> queries.RunStep:
    found: RunProgress = queries.progress(of)
    if of.ended_at is not None:
        raise RunOver(f"{of.ref} was finished. Its steps can't change.")
    if not 1 <= number <= len(found.steps):
        raise Invalid(f"{found.playbook.title} has {plural(len(found.steps), 'step')}.")
    return found.steps[number - 1]
