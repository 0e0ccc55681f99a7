"""The approval of a rollout's next step, if two people are needed."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.operations.gates import gates
from governance.operations.gates.gates import VERDICTS, GateReading
from governance.operations.rollouts import actions, permissions, queries
from governance.operations.rollouts.status import RolloutStatus, status_of

LIFETIME = timedelta(days=3)


def _status(rollout_id: UUID) -> RolloutStatus:
    return status_of(queries.rollout(rollout_id))


def _describe(approval: Approval) -> Description:
    at = _status(approval.target_id)
    row = at.rollout
    return Description(
        title=approval.summary,
        heading="The step",
        facts=[
            ("Rollout", row.ref),
            ("AI system", at.system.name),
            ("Feature", at.feature.key),
            ("Release", row.release),
            ("Replaces", row.previous),
            ("State", row.state_name),
            ("Stage now", row.stage.name if row.stage else "not started"),
            ("What is new", row.summary),
            ("Rollback plan", row.rollback_plan or "none"),
        ],
        effects=[*_effects(approval, at)],
        effects_sub="The gates, as they are now",
        covers=(
            "Covers the step, the release, the ladder and the rollback plan. When a figure changes,"
            " you review it again."
        ),
        back=(row.ref, "rollouts.rollout", {"rollout_id": row.id}),
        verb="Approve the step",
        consequence=(
            "It takes effect within a second. Anyone who may halt the rollout can halt it again, or"
            " roll it back."
        ),
    )


def _effects(approval: Approval, at: RolloutStatus) -> Iterator[ApprovalEffect]:
    if approval.state == "open":
        for each in at.blockers:
            yield ApprovalEffect("bad", "It can't be approved now.", each)
    for result in at.results:
        read = result.reading
        if not read.is_shown:
            yield ApprovalEffect(*_verdict(read), "Its figure isn't shown to you.")
            continue
        n = f", n = {read.n}" if read.n else ""
        yield ApprovalEffect(
            *_verdict(read),
            f"{read.figure}{f' ({read.detail})' if read.detail else ''}{n}. Needs {read.needs}.",
        )


def _verdict(read: GateReading) -> tuple[str, str]:
    kind, word = VERDICTS[read.verdict]
    return kind, f"{read.name}: {word.lower()}."


def _fingerprint(approval: Approval) -> Mapping[str, Any]:
    row = queries.rollout(approval.target_id)
    return {
        "revision": row.revision,
        "state": row.state,
        "position": row.position,
        "release": row.release,
        "previous": row.previous,
        "ladder": row.ladder,
        "rollback_plan": row.rollback_plan,
        "on_failure": row.on_failure,
    }


def _figures(approval: Approval) -> Mapping[str, Any]:
    """Return the gates' fingerprint: when a figure changes, the approver reviews again."""
    at = _status(approval.target_id)
    return {"gates": gates.fingerprint(at.results)}


def _blocked(approval: Approval) -> str | None:
    return " ".join(_status(approval.target_id).blockers) or None


def _entry(approval: Approval, _step: str) -> LogEntry:
    row = queries.rollout(approval.target_id)
    stage = row.next_stage if row.state in {"planned", "running"} else row.stage
    return LogEntry(
        row,
        facts={
            "ref": row.ref,
            "step": approval.summary.split(" ", 1)[0],
            "stage": stage.name if stage else "",
        },
    )


ROLLOUT_STEP = ApprovalKind(
    name=queries.STEP,
    label="Step of a rollout",
    permission=permissions.APPROVE,
    describe=_describe,
    fingerprint=_fingerprint,
    context=_figures,
    apply=lambda approval: actions.carry_out(
        queries.rollout(approval.target_id, lock=True), approval
    ),
    blocked=_blocked,
    entry=_entry,
    lock=actions.LOCK,
    lifetime=LIFETIME,
    entries={
        "requested": actions.STEP_REQUESTED,
        "approved": None,
        "rejected": actions.STEP_REJECTED,
        "withdrawn": actions.STEP_CLOSED,
        "voided": actions.STEP_CLOSED,
        "expired": actions.STEP_CLOSED,
    },
)
