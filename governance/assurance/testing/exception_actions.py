"""Record and answer exceptions; raise, assign, fix and retest findings."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from governance.assurance.controls import control_test_actions
from governance.assurance.controls.models import Control, ControlTest
from governance.assurance.evidence.reference_numbers import DIGITS, next_ref
from governance.assurance.testing import exception_queries, matrix_queries, permissions
from governance.assurance.testing.models import (
    Finding,
    Retest,
    SampleItem,
    TestException,
)
from governance.assurance.testing.occurrences import Cycle, cycles
from governance.assurance.testing.text_fields import MAX_TEXT_LENGTH, require_text
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.safety.access import require
from governance.kernel.work.events import publish

EXCEPTION_OPENED = action(
    "test.exception.opened",
    "opened an exception",
    target="TestException",
    activity="create",
    severity="low",
    fields="ref control item_number",
    personal="says",
)
MISSED_RECORDED = action(
    "test.exception.recorded",
    "recorded a missed cycle as an exception",
    target="TestException",
    activity="create",
    severity="low",
    fields="ref control cadence missed_from missed_to",
    personal="says cause effect correction",
)
EXCEPTION_ANSWERED = action(
    "test.exception.answered",
    "responded to an exception",
    target="TestException",
    activity="update",
    severity="informational",
    fields="ref",
    personal="cause effect correction response",
)
FINDING_RAISED = action(
    "finding.raised",
    "raised a finding",
    target="Finding",
    activity="create",
    severity="medium",
    fields="ref exception due_on",
    persons="owner",
    personal="title plan",
)
FINDING_ASSIGNED = action(
    "finding.assigned",
    "assigned a finding",
    target="Finding",
    activity="update",
    severity="informational",
    fields="ref due_on undoes",
    persons="owner",
)
FINDING_REMEDIED = action(
    "finding.remediated",
    "reported a finding as remediated",
    target="Finding",
    activity="update",
    severity="informational",
    fields="ref",
    personal="remedy",
)
RETESTED = action(
    "finding.retested",
    "retested a finding",
    target="Retest",
    activity="create",
    severity="informational",
    fields="ref sample failed tested_on closed",
    personal="note",
)


def open_exception(
    item: SampleItem, control: Control, failed: Sequence[str], note: str
) -> TestException:
    says = f"{item.item} failed “{'”, “'.join(failed)}”: {note}"[:MAX_TEXT_LENGTH]
    exception = TestException(
        ref=_next_exception_ref(),
        control_id=control.id,
        sample_item_id=item.id,
        missed_from=None,
        missed_to=None,
        says=says,
        cause="",
        effect="",
        correction="",
        response="",
        version=1,
        found_by=current.person_id(),
        responded_by=None,
        created_at=clock.now(),
    )
    session().add(exception)
    record(
        EXCEPTION_OPENED,
        exception,
        ref=exception.ref,
        control=control.ref,
        item_number=item.number,
        says=says,
    )
    return exception


def _next_exception_ref() -> str:
    """Return the next EXC number; exceptions and manual control tests share one sequence."""
    refs = (
        next_ref(ControlTest.finding_ref, "EXC", width=2),
        next_ref(TestException.ref, "EXC", width=2),
    )
    # Each ref ends in digits.
    return max(refs, key=lambda ref: int(DIGITS.search(ref)[1]))  # type: ignore[index]


def record_missed_cycle(
    control: Control, last_day: date | None, *, cause: str, effect: str, correction: str
) -> TestException:
    """Record the missed cycle that ends on `last_day` as an exception.

    It stays an exception even if the cycle is performed later. A cycle has at most one exception.
    Raise Invalid if the cycle wasn't missed or is already recorded, or if a text is empty.
    """
    require(permissions.TEST, on=control)
    lock_tenant(f"missed cycles of {control.id}")
    cycle = (
        next((c for c in cycles(control.cadence, last_day, last_day)), None) if last_day else None
    )
    if (
        cycle is not None
        and (existing := exception_queries.exception_of_cycle(control.id, cycle)) is not None
    ):
        raise Invalid(f"{cycle.says} is already recorded as {existing.ref}.", field="occurrence")
    if cycle is None or cycle not in matrix_queries.unrecorded_missed_cycles(control.id):
        raise Invalid("Choose a cycle that was missed.", field="occurrence")
    texts = {
        name: text.strip()[:MAX_TEXT_LENGTH]
        for name, text in (("cause", cause), ("effect", effect), ("correction", correction))
    }
    for name, text in texts.items():
        require_text(text, name, "Enter the cause, the effect and the correction.")
    says = (
        f"Not performed for {cycle.says}: no accepted evidence covered {_cycle_days(cycle)} in time"
    )
    exception = TestException(
        ref=_next_exception_ref(),
        control_id=control.id,
        sample_item_id=None,
        missed_from=cycle.first,
        missed_to=cycle.last,
        says=says,
        **texts,
        response="",
        version=1,
        found_by=current.person_id(),
        responded_by=None,
        created_at=clock.now(),
    )
    session().add(exception)
    record(
        MISSED_RECORDED,
        exception,
        ref=exception.ref,
        control=control.ref,
        cadence=control.cadence,
        missed_from=cycle.first,
        missed_to=cycle.last,
        says=says,
        cause=exception.cause,
        effect=exception.effect,
        correction=exception.correction,
    )
    return exception


def _cycle_days(cycle: Cycle) -> str:
    last = f"{cycle.last.day} {cycle.last:%B %Y}"
    return last if cycle.first == cycle.last else f"{cycle.first.day} {cycle.first:%B %Y} to {last}"


def respond(
    exception: TestException,
    *,
    version: int,
    cause: str,
    effect: str,
    correction: str,
    response: str,
) -> None:
    """Store the cause, effect, correction and management response of an exception.

    Raise Stale if `version` is no longer the exception's, and Invalid for an empty text.
    """
    if version != exception.version:
        raise Stale(
            f"Someone else responded to {exception.ref} while you were editing."
            " Review the response, then save again."
        )
    after = {"cause": cause, "effect": effect, "correction": correction, "response": response}
    after = {name: text.strip()[:MAX_TEXT_LENGTH] for name, text in after.items()}
    for name, text in after.items():
        require_text(
            text,
            name,
            "Enter the cause, the effect, the correction and management's response.",
        )
    before = {name: getattr(exception, name) for name in after}
    if before == after:
        return
    for name, text in after.items():
        setattr(exception, name, text)
    exception.version += 1
    exception.responded_by = current.person_id()
    record(EXCEPTION_ANSWERED, exception, before=before, after=after, ref=exception.ref)


def raise_finding(
    exception: TestException, *, title: str, plan: str, owner_id: UUID, due_on: date
) -> Finding:
    """Add the finding of an exception: who fixes it, how and by when.

    An exception has at most one.
    """
    lock_tenant(f"finding of {exception.id}")
    if exception_queries.finding_of(exception.id) is not None:
        raise DomainError(f"{exception.ref} already has a finding.")
    if exception_queries.exception_case(exception.id).state == "set aside":
        raise DomainError(
            f"{exception.ref} is superseded: its item passed a later test. There is nothing to fix."
        )
    require_text(title, "title", "Summarize the problem in one line.")
    require_text(plan, "plan", "Describe how you will fix it.")
    check_may_own(owner_id)
    _check_due(due_on)
    finding = Finding(
        ref=next_ref(Finding.ref, "FND", width=2),
        exception_id=exception.id,
        title=title.strip()[:200],
        plan=plan.strip()[:MAX_TEXT_LENGTH],
        owner_id=owner_id,
        due_on=due_on,
        raised_by=current.person_id(),
        remedy="",
        remedied_at=None,
        remedied_by=None,
        closed_at=None,
        created_at=clock.now(),
    )
    session().add(finding)
    record(
        FINDING_RAISED,
        finding,
        ref=finding.ref,
        exception=exception.ref,
        due_on=due_on,
        owner=owner_id,
        title=finding.title,
        plan=finding.plan,
    )
    return finding


def assign_finding(
    finding: Finding, *, owner_id: UUID, due_on: date, undoes: UUID | None = None
) -> None:
    """Change the owner and due date of a finding. `undoes` is the audit entry that this reverses.

    The owner can't change after the finding was reported as fixed, because they may not retest it.
    """
    require(permissions.MANAGE)
    if (reason := why_not_assigned(finding)) is not None:
        raise DomainError(reason)
    before = {"owner": finding.owner_id, "due_on": finding.due_on}
    after = {"owner": owner_id, "due_on": due_on}
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    if "owner" in changed:
        check_may_own(owner_id)
    if "due_on" in changed and undoes is None:
        _check_due(due_on)
    finding.owner_id, finding.due_on = owner_id, due_on
    entry = record(
        FINDING_ASSIGNED, finding, before=before, after=after, ref=finding.ref, undoes=undoes
    )
    undo.remember(
        "finding.owner",
        finding.id,
        entry.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if "owner" in changed:
        path = f"evidence/type-ii/exceptions/{finding.exception_id}"
        publish(OwnerAssigned(owner_id, f"finding {finding.ref}", path, entry.id))


def assign_findings(wanted: Sequence[tuple[UUID, UUID, date]]) -> None:
    """Assign findings by (id, owner, due date), all or none."""
    found = exception_queries.find_findings([each[0] for each in wanted], lock=True)
    by_id = {finding.id: finding for finding in found}
    for finding_id, owner_id, due_on in wanted:
        assign_finding(by_id[finding_id], owner_id=owner_id, due_on=due_on)


def why_not_assigned(finding: Finding) -> str | None:
    """Return why the owner of a finding can't change any more, or None if they can."""
    if finding.closed_at is not None:
        return f"{finding.ref} is closed."
    if finding.remedied_at is not None:
        return f"{finding.ref} was reported as fixed and awaits its retest."
    return None


def _check_due(day: date) -> None:
    if day < clock.today():
        raise Invalid("Choose a due date of today or later.", field="due_on")


UNDOABLE = {"finding.owner"}


@undo.restores("finding.owner")
def _restore_owner(step: UndoStep) -> None:
    """Restore only the fields that the step changed."""
    finding, _ = exception_queries.finding(step.target_id, lock=True)
    present = {"owner": finding.owner_id, "due_on": finding.due_on}
    if any(undo.plain(present[name]) != value for name, value in step.after.items()):
        who = last_actor(finding.id, FINDING_ASSIGNED)
        raise Overtaken(f"{who} has since changed the owner or due date of {finding.ref}.")
    assign_finding(
        finding,
        owner_id=undo.id_or_none(step.before.get("owner")) or finding.owner_id,
        due_on=undo.day_or_none(step.before.get("due_on")) or finding.due_on,
        undoes=step.entry_id,
    )


def report_fixed(finding: Finding, what: str) -> None:
    """Report a finding as fixed. Only a passing retest closes it.

    The first reporter stays on record. A repeated report by them changes nothing.
    """
    me = current.person_id()
    require(permissions.REMEDY, on=finding)
    if finding.closed_at is not None:
        raise DomainError(f"{finding.ref} is already closed.")
    require_text(what, "remedy", "Describe the remediation.")
    # The first reporter stays on record, because they may not retest it.
    if finding.remedied_at is not None:
        if finding.remedied_by == me and finding.remedy == what.strip()[:MAX_TEXT_LENGTH]:
            return
        raise DomainError(f"{finding.ref} was already reported as fixed and awaits its retest.")
    before = {"remedy": finding.remedy}
    finding.remedy, finding.remedied_at, finding.remedied_by = (
        what.strip()[:MAX_TEXT_LENGTH],
        clock.now(),
        me,
    )
    record(
        FINDING_REMEDIED, finding, before=before, after={"remedy": finding.remedy}, ref=finding.ref
    )


def record_retest(
    finding: Finding,
    exception: TestException,
    control: Control,
    *,
    tested_on: date,
    sample: int,
    failed: int,
    note: str,
) -> Retest:
    """Record a retest by a person who neither owns nor fixed the finding.

    A passing retest closes the finding; a failed one reopens the fix. Updates the control's status.
    """
    require(permissions.TEST, on=control)
    require(permissions.RETEST, on=finding)
    if finding.closed_at is not None:
        raise DomainError(f"{finding.ref} was already closed by a passing retest.")
    if finding.remedied_at is None:
        raise DomainError(f"{finding.ref} isn't fixed yet. Retest it once it is reported as fixed.")
    if tested_on < finding.remedied_at.date():
        raise Invalid("The retest must be on or after the day of the fix.", field="tested_on")
    require_text(note, "note", "Describe what you tested and what you found.")
    if (of := exception_queries.sample_id_of(exception)) is not None:
        lock_tenant(f"results of {of}")
    row = Retest(
        finding_id=finding.id,
        tested_on=tested_on,
        sample=sample,
        failed=failed,
        note=note.strip()[:MAX_TEXT_LENGTH],
        tested_by=current.person_id(),
        created_at=clock.now(),
    )
    session().add(row)
    if not failed:
        finding.closed_at = clock.now()
    else:
        finding.remedied_at = finding.remedied_by = None
    session().flush()
    control_test_actions.record_test(
        control,
        tested_on=tested_on,
        sample=sample,
        failed=failed,
        finding=f"Retest of {finding.ref}: {note.strip()}" if failed else "",
        finding_ref=exception.ref if failed else None,
        sample_id=of,
        retest_id=row.id,
        unsettled=None if of is None else len(exception_queries.open_exception_refs(of)),
    )
    record(
        RETESTED,
        row,
        ref=finding.ref,
        sample=sample,
        failed=failed,
        tested_on=tested_on,
        closed=not failed,
        note=row.note,
    )
    return row
