"""Write playbooks and run them.

create, edit, retire          a playbook; an edit of its steps makes the next version
start_run                     carry out the present version, inside an incident or as a drill
do_step, skip_step            record a step; an action step acts with the person's own permission
end_run                       close the run, which files it as evidence

A run follows the version it started with, also when the playbook changes meanwhile.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from governance.assurance.evidence.reference_numbers import next_ref
from governance.assurance.playbooks import queries, run_evidence, step_actions
from governance.assurance.playbooks.models import (
    Playbook,
    PlaybookRun,
    PlaybookStepResult,
    PlaybookVersion,
)
from governance.assurance.playbooks.queries import RunProgress
from governance.assurance.playbooks.steps import PlaybookStep, check_steps
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.owners import check_may_own
from governance.kernel import clock, current
from governance.kernel.db import find, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import plural

CREATED = action(
    "playbook.created",
    "created a playbook",
    target="Playbook",
    activity="create",
    severity="informational",
    fields="ref title steps",
    persons="owner",
)
EDITED = action(
    "playbook.edited",
    "edited a playbook",
    target="Playbook",
    activity="update",
    severity="informational",
    fields="ref title version steps",
    persons="owner",
)
RETIRED = action(
    "playbook.retired",
    "retired a playbook",
    target="Playbook",
    activity="delete",
    severity="low",
    fields="ref title",
    shape="stop",
)
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

MAX_TITLE_LENGTH = 120
MAX_TEXT_LENGTH = 2000
DRILL_INTERVALS = {
    30: "Every month",
    91: "Every quarter",
    182: "Every half year",
    365: "Every year",
}


class RunOver(DomainError):
    """The run has ended; nothing in it changes any more."""


class PlaybookRetired(DomainError):
    """The playbook is retired: it can't be edited or started."""


def create(
    *,
    title: str,
    used_for: str,
    steps: Sequence[PlaybookStep],
    owner_id: UUID | None = None,
    drill_every_days: int | None = None,
) -> Playbook:
    """Create a playbook with its first version. Raises Invalid, naming the field or step."""
    title, used_for = _check_texts(title, used_for)
    check_steps(steps)
    _check_owner_and_drill(owner_id, drill_every_days)
    book = Playbook(
        ref=next_ref(Playbook.ref, "PLB", width=2),
        title=title,
        used_for=used_for,
        owner_id=owner_id,
        drill_every_days=drill_every_days,
        next_drill_on=_next_drill(drill_every_days),
        version=1,
        retired_at=None,
        created_at=clock.now(),
    )
    session().add(book)
    session().flush()
    _add_version(book, steps, reason="")
    record(
        CREATED, book, about=owner_id, ref=book.ref, title=title, steps=len(steps), owner=owner_id
    )
    return book


def revision(book: Playbook) -> str:
    """The digest of what an edit can change; forms carry it."""
    held = [book.title, book.used_for, str(book.owner_id), book.drill_every_days, book.version]
    return hashlib.sha256(json.dumps(held).encode()).hexdigest()[:16]


def edit(
    book: Playbook,
    *,
    seen: str,
    title: str,
    used_for: str,
    steps: Sequence[PlaybookStep],
    owner_id: UUID | None,
    drill_every_days: int | None,
    reason: str = "",
) -> Playbook:
    """Save changes; other steps make the next version. Raises Stale when someone was faster.

    The caller has locked the playbook. Runs in progress keep their version.
    """
    _check_live(book)
    title, used_for = _check_texts(title, used_for)
    check_steps(steps)
    if seen != revision(book):
        raise Stale(
            f"Someone else changed {book.title} while you were editing. Review it, then save"
            " again.",
            {"title": (title, book.title), "used_for": (used_for, book.used_for)},
        )
    _check_owner_and_drill(owner_id, drill_every_days)
    before = {"title": book.title, "owner": book.owner_id, "version": book.version}
    if [s.plain() for s in steps] != queries.present_version(book).steps:
        if not reason.strip():
            raise Invalid("Enter what changed and why, for the people who run it.", field="reason")
        book.version += 1
        _add_version(book, steps, reason=reason.strip()[:MAX_TEXT_LENGTH])
    book.title, book.used_for, book.owner_id = title, used_for, owner_id
    if drill_every_days != book.drill_every_days:
        book.drill_every_days = drill_every_days
        book.next_drill_on = _next_drill(drill_every_days)
    record(
        EDITED,
        book,
        about=owner_id,
        reason=reason.strip() or None,
        before=before,
        after={"title": title, "owner": owner_id, "version": book.version},
        ref=book.ref,
        steps=len(steps),
    )
    return book


def retire(book: Playbook, *, reason: str) -> None:
    """Retire a playbook. Its runs stay, and those in progress can be finished."""
    _check_live(book)
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    book.retired_at, book.next_drill_on = clock.now(), None
    record(RETIRED, book, reason=reason.strip(), ref=book.ref, title=book.title)


# ---- runs


def start_run(
    version_id: UUID,
    *,
    incident_id: UUID | None = None,
    incident_ref: str | None = None,
    is_drill: bool = False,
) -> PlaybookRun:
    """Start a run of that version, which must be the present one.

    A run belongs to an incident; without one it is a drill. A second click returns the run that
    the first one started.
    """
    from_version = find(PlaybookVersion, version_id, what="playbook")
    book = queries.playbook(from_version.playbook_id, lock=True)
    _check_live(book)
    if from_version.number != book.version:
        raise Stale(
            f"{book.title} was changed to version {book.version}. Review it, then start again."
        )
    if incident_id is None and not is_drill:
        raise Invalid("Open the incident to run this playbook in it, or start a drill.")
    for each in queries.runs(playbook_id=book.id, incident_id=incident_id):
        same = each.run.incident_id == incident_id and each.run.is_drill == is_drill
        if each.run.ended_at is None and same:
            return each.run
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
    """Complete a step. An action step acts now: Forbidden when the person may not.

    In a drill, action steps are rehearsed and change nothing. The caller has locked the run.
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
    """Skip a step and keep the reason. A completed step stays completed."""
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
    """Close a run whose steps are all completed or skipped, and file it as evidence.

    The caller has locked the run. Closing it twice is closing it once.
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
        found.playbook.next_drill_on = _next_drill(found.playbook.drill_every_days)
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


# ---- rules that several share


def _write_result(
    of: PlaybookRun, found: queries.RunStep, state: str, note: str, effect: str
) -> PlaybookStepResult:
    """A skipped step that is done after all keeps one row."""
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


def _check_live(book: Playbook) -> None:
    if book.retired_at is not None:
        raise PlaybookRetired(f"{book.title} was retired. Create a new playbook instead.")


def _check_texts(title: str, used_for: str) -> tuple[str, str]:
    title, used_for = " ".join(title.split()), used_for.strip()
    if not title or len(title) > MAX_TITLE_LENGTH:
        raise Invalid(
            f"Enter a title of up to {MAX_TITLE_LENGTH} characters, such as Ungrounded output.",
            field="title",
        )
    if not used_for or len(used_for) > MAX_TEXT_LENGTH:
        raise Invalid("Describe in a sentence when to use it.", field="used_for")
    return title, used_for


def _check_owner_and_drill(owner_id: UUID | None, days: int | None) -> None:
    check_may_own(owner_id)
    if days is not None and days not in DRILL_INTERVALS:
        raise Invalid("Choose how often to drill it.", field="drill_every_days")


def _next_drill(days: int | None) -> date | None:
    return clock.today() + timedelta(days=days) if days else None


def _add_version(book: Playbook, steps: Sequence[PlaybookStep], *, reason: str) -> None:
    session().add(
        PlaybookVersion(
            playbook_id=book.id,
            number=book.version,
            steps=[step.plain() for step in steps],
            reason=reason,
            written_by=current.actor().person_id,
            created_at=clock.now(),
        )
    )
    session().flush()
