"""Plan rollouts and take their steps.

plan, write_rollback_plan, cancel     before the first stage
advance                               start, promote, resume or finish, if one person is enough
request_step, carry_out               the same if two people are needed
halt, roll_back                       immediately, by one person
guard                                 automatic step after a failed gate; people are notified

A person who advances a rollout sends the fingerprint of the figures that they saw; if one has
changed since, the step is rejected. Halting and rolling back never wait: they void a request to
advance.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import membership_of
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.safety.access import require
from governance.operations.evaluations.releases import promotion
from governance.operations.gates import gates
from governance.operations.gates.gates import GateResult
from governance.operations.rollouts import life_cycle, notices, permissions, queries
from governance.operations.rollouts.ladders import LADDERS
from governance.operations.rollouts.life_cycle import NotPossible
from governance.operations.rollouts.models import CHANGES, ON_FAILURE, Rollout, RolloutStep
from governance.operations.rollouts.status import RolloutStatus, status_of
from governance.operations.systems import queries as systems

FIELDS = "ref system feature release previous stage"
PLANNED = action(
    "rollout.planned",
    "planned a rollout",
    target="Rollout",
    activity="create",
    severity="low",
    fields=f"{FIELDS} ladder change summary rollback_plan on_failure runs",
    persons="owner_id",
)
PLAN_CHANGED = action(
    "rollout.rollback_plan.changed",
    "changed the rollback plan of a rollout",
    target="Rollout",
    activity="update",
    severity="low",
    fields="ref rollback_plan on_failure",
    persons="owner_id",
)
CANCELLED = action(
    "rollout.cancelled",
    "cancelled a planned rollout",
    target="Rollout",
    activity="update",
    severity="low",
    fields=FIELDS,
)
STEP_REQUESTED = action(
    "rollout.step.requested",
    "requested the next step of a rollout",
    target="Rollout",
    activity="update",
    severity="low",
    fields="ref number step stage",
)
STEP_REJECTED = action(
    "rollout.step.rejected",
    "rejected the next step of a rollout",
    target="Rollout",
    activity="update",
    severity="low",
    fields="ref number step stage",
)
STEP_CLOSED = action(
    "rollout.step.closed",
    "closed a request for the next step of a rollout",
    target="Rollout",
    activity="update",
    severity="informational",
    fields="ref number step stage",
)
GATES = "gates passing failing open"


def _step(past: str, says: str, severity: Any, shape: Any) -> Any:
    return action(
        f"rollout.{past}",
        says,
        target="Rollout",
        activity="update",
        severity=severity,
        fields=f"{FIELDS} {GATES} cause",
        persons="requested_by",
        shape=shape,
    )


STEPS = {
    "start": _step("started", "started a rollout", "medium", "up"),
    "promote": _step("promoted", "promoted a rollout to its next stage", "medium", "up"),
    "pause": _step("paused", "paused a rollout", "medium", "stop"),
    "halt": _step("halted", "halted a rollout", "high", "stop"),
    "resume": _step("resumed", "resumed a rollout", "medium", "ok"),
    "roll_back": _step("rolled_back", "rolled back a rollout", "high", "down"),
    "finish": _step("finished", "finished a rollout", "medium", "ok"),
}

LOCK = "rollouts"
MAX_RELEASE_LENGTH, MAX_TEXT_LENGTH = 80, 4000
RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
CHANGED = (
    "A figure or the rollout itself has changed since you opened this page. Review it as it is now,"
    " then decide again."
)
ADVANCES = ("start", "promote", "resume", "finish")


@dataclass(frozen=True, slots=True)
class RolloutDraft:
    """The data of a rollout form."""

    feature_id: UUID
    change: str
    release: str
    previous: str
    summary: str
    rollback_plan: str
    on_failure: str
    owner_id: UUID | None


# ---- planning


def plan(draft: RolloutDraft, *, rollout_id: UUID | None = None) -> Rollout:
    """Plan a rollout on the ladder of the system's risk class. Nothing is served yet.

    The caller chooses `rollout_id`, so that a form sent twice plans one rollout. Raises Invalid.
    """
    require(permissions.PLAN)
    lock_tenant(LOCK)
    feature = systems.feature(draft.feature_id)
    system = systems.system(feature.system_id)
    _check_draft(draft)
    if feature.retired_at or system.is_retired:
        raise Invalid("This feature is retired. Choose another.", field="feature_id")
    if (there := queries.open_of(feature.id)) is not None:
        raise Invalid(
            f"{there.ref} of this feature isn't finished yet: {there.state_name.lower()}."
            " Finish it, roll it back or cancel it first.",
            field="feature_id",
        )
    row = Rollout(
        id=rollout_id or uuid7(),
        number=queries.next_number(),
        system_id=system.id,
        feature_id=feature.id,
        change=draft.change,
        release=draft.release.strip(),
        previous=draft.previous.strip(),
        summary=draft.summary.strip(),
        system_version=system.version,
        risk_class=system.lane,
        ladder=[each.plain() for each in LADDERS[system.lane]],
        rollback_plan=draft.rollback_plan.strip(),
        on_failure=draft.on_failure,
        owner_id=draft.owner_id,
        planned_by=current.person_id(),
    )
    session().add(row)
    session().flush()
    record(
        PLANNED,
        row,
        **_facts(row),
        ladder=[each.name for each in row.stages],
        change=row.change,
        summary=row.summary,
        rollback_plan=row.rollback_plan,
        on_failure=row.on_failure,
        owner_id=row.owner_id,
        runs=promotion.run_numbers(row.system_id, row.release),
    )
    return row


def _check_draft(draft: RolloutDraft) -> None:
    if draft.change not in CHANGES:
        raise Invalid("Choose what changes.", field="change")
    for field, name in (("release", draft.release), ("previous", draft.previous)):
        if not RELEASE.fullmatch(name.strip()) or len(name.strip()) > MAX_RELEASE_LENGTH:
            raise Invalid(
                "Enter a release such as 2026.12.0: letters, digits, dots, hyphens and plus signs,"
                f" up to {MAX_RELEASE_LENGTH}.",
                field=field,
            )
    if draft.release.strip() == draft.previous.strip():
        raise Invalid("The new release is the one that is served already.", field="release")
    if not 0 < len(draft.summary.strip()) <= MAX_TEXT_LENGTH:
        raise Invalid("Describe what is new in the release.", field="summary")
    _check_plan(draft.rollback_plan, draft.on_failure, draft.owner_id)


def _check_plan(text: str, on_failure: str, owner_id: UUID | None) -> None:
    if len(text) > MAX_TEXT_LENGTH:
        raise Invalid(
            f"Shorten the plan to {MAX_TEXT_LENGTH:,} characters or fewer.", field="rollback_plan"
        )
    if on_failure not in ON_FAILURE:
        raise Invalid("Choose what a failed guardrail does.", field="on_failure")
    if owner_id is not None and membership_of(owner_id) is None:
        raise Invalid("Choose a member of this tenant as owner.", field="owner_id")


def write_rollback_plan(
    row: Rollout, *, text: str, on_failure: str, owner_id: UUID | None, seen: str
) -> None:
    """Change the plan of an open rollout. Once it is started, the plan can't be emptied."""
    require(permissions.PLAN)
    _lock(row)
    if not row.is_open:
        raise Stale(f"{row.ref} has ended, so its plan can't be changed.")
    _check_plan(text, on_failure, owner_id)
    if row.position >= 0 and not text.strip():
        raise Invalid("A rollout under way needs a rollback plan.", field="rollback_plan")
    if seen != str(row.revision):
        raise Stale(CHANGED)
    after = (text.strip(), on_failure, owner_id)
    if after == (row.rollback_plan, row.on_failure, row.owner_id):
        return
    approvals.void(queries.STEP, row.id, reason="The rollback plan was changed.")
    row.rollback_plan, row.on_failure, row.owner_id = after
    row.revision += 1
    session().flush()
    record(
        PLAN_CHANGED,
        row,
        ref=row.ref,
        rollback_plan=row.rollback_plan,
        on_failure=row.on_failure,
        owner_id=owner_id,
    )


def cancel(row: Rollout, *, reason: str) -> None:
    """Cancel a rollout that isn't started."""
    require(permissions.PLAN)
    _lock(row)
    _check_reason(reason)
    _void(row, "The rollout was cancelled.")
    _move(row, "cancel", [])
    record(CANCELLED, row, reason=reason.strip(), **_facts(row))


# ---- advancing


def advance(row: Rollout, *, step: str, seen: str, reason: str = "") -> None:
    """Take the next step, if one person is enough. `seen` is RolloutStatus.fingerprint.

    Raises Stale when the rollout or a figure of its gates has changed since, and DomainError with
    the blockers of the step.
    """
    at = _checked(row, step, seen)
    if at.people > 1:
        raise DomainError(
            "This step needs two people, because the AI system has the high risk class. Request it,"
            " so that another person can approve it."
        )
    _take(row, step, at.results, reason=reason.strip())


def request_step(row: Rollout, *, step: str, seen: str, reason: str) -> Approval:
    """Request the next step of a rollout that needs two people, or return the open request."""
    at = _checked(row, step, seen)
    if at.people == 1:
        raise DomainError("This step needs only you.")
    _check_reason(reason)
    requested = approvals.request(
        queries.STEP, row.id, summary=summary_of(at), reason=reason, needed=at.people - 1
    )
    notices.tell_requested(requested)
    return requested


def carry_out(row: Rollout, approval: Approval) -> None:
    """Take the step that another person, the acting one, has approved."""
    _lock(row)
    at = status_of(row)
    _check_possible(at)
    step = at.step or ""
    _take(row, step, at.results, reason=approval.reason, requested_by=approval.requested_by)


def summary_of(at: RolloutStatus) -> str:
    """Return the effect of the next step, for use after "asks to"."""
    row, stage = at.rollout, at.rollout.next_stage
    what = f"{row.ref} of {at.system.key}, release {row.release}"
    if at.step == "start":
        return f"start {what}"
    if at.step == "promote" and stage is not None:
        return f"promote {what} to {stage.name}"
    return f"{'resume' if at.step == 'resume' else 'finish'} {what}"


def _checked(row: Rollout, step: str, seen: str) -> RolloutStatus:
    require(permissions.ADVANCE)
    _lock(row)
    at = status_of(row)
    if step not in ADVANCES:
        raise Invalid("Choose a step of the rollout.")
    if seen != at.fingerprint or step != at.step:
        raise Stale(CHANGED)
    _check_possible(at)
    return at


def _check_possible(at: RolloutStatus) -> None:
    if blockers := at.blockers:
        raise DomainError(" ".join(blockers))


# ---- halting and rolling back


def halt(row: Rollout, *, reason: str) -> None:
    """Halt a rollout: every targeting key gets the current release once this is committed."""
    _stop(row, "halt", reason)


def roll_back(row: Rollout, *, reason: str) -> None:
    """Roll a rollout back: it ends, and all keys get the current release again."""
    _stop(row, "roll_back", reason)


def _stop(row: Rollout, step: str, reason: str) -> None:
    require(permissions.HALT)
    _lock(row)
    _check_reason(reason)
    _void(row, f"The rollout was {life_cycle.PAST[step]}.")
    _take(row, step, [], reason=reason.strip())


def guard(row: Rollout) -> str | None:
    """Halt, roll back or pause a running rollout by its gates. Return the step, if any.

    Only failing figures do that. Missing and undecided ones don't.
    """
    _lock(row)
    if row.state != "running" or row.position <= 0:
        return None
    results = status_of(row).results
    step, failed = row.on_failure, gates.failing(results, "guardrail")
    if not failed:
        step, failed = "pause", gates.failing(results, "signal")
    if not failed:
        return None
    _void(row, f"The rollout was {life_cycle.PAST[step]}.")
    cause = ", ".join(each.reading.name for each in failed)
    step_id = _take(row, step, results, reason="", cause=cause)
    notices.tell_stopped(row, step_id, done=life_cycle.PAST[step], cause=cause)
    return step


# ---- shared rules


def _lock(row: Rollout) -> None:
    """Lock its approvals first, so that an approval in progress finishes before this step."""
    lock_tenant(LOCK)
    session().refresh(row, with_for_update=True)


def _void(row: Rollout, reason: str) -> None:
    approvals.void(queries.STEP, row.id, reason=reason)


def _take(
    row: Rollout,
    step: str,
    results: Sequence[GateResult],
    *,
    reason: str,
    requested_by: UUID | None = None,
    cause: str = "",
) -> UUID:
    """Take a step, record it and return its id. The commit notifies the decision API."""
    step_id = _move(row, step, results, cause=cause, requested_by=requested_by)
    tenant_revision.advance(queries.news_of(row))
    record(
        STEPS[step],
        row,
        reason=reason or None,
        **_facts(row),
        gates=gates.plain(results),
        passing=gates.count(results, "pass"),
        failing=gates.count(results, "fail"),
        open=len(results) - gates.count(results, "pass") - gates.count(results, "fail"),
        cause=cause,
        requested_by=requested_by,
    )
    return step_id


def _move(
    row: Rollout,
    step: str,
    results: Sequence[GateResult],
    *,
    cause: str = "",
    requested_by: UUID | None = None,
) -> UUID:
    now = clock.now()
    try:
        after = life_cycle.take(
            step,
            row.progress,
            now=now,
            stages=len(row.ladder),
            freezes=queries.spans_for(row),
        )
    except NotPossible as refused:
        raise Stale(str(refused)) from refused
    if after.position != row.position:
        row.entered_at = now
    row.state, row.position, row.since = after.state, after.position, after.since
    row.counted_seconds = int(after.counted.total_seconds())
    if step == "start":
        row.started_at = now
    if not row.is_open:
        row.ended_at = now
    row.revision += 1
    taken = RolloutStep(
        rollout_id=row.id,
        number=queries.next_step_number(row.id),
        step=step,
        position=row.position,
        taken_by=current.actor().person_id,
        requested_by=requested_by,
        cause=cause,
        gates=gates.plain(results),
        created_at=now,
    )
    session().add(taken)
    session().flush()
    return taken.id


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
    if len(reason) > MAX_TEXT_LENGTH:
        raise Invalid(
            f"Shorten the reason to {MAX_TEXT_LENGTH:,} characters or fewer.", field="reason"
        )


def _facts(row: Rollout) -> dict[str, Any]:
    system, feature = queries.about(row)
    return {
        "ref": row.ref,
        "system": system.key,
        "feature": feature.key,
        "release": row.release,
        "previous": row.previous,
        "stage": row.stage.name if row.stage else "",
    }
