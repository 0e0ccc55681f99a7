"""Rollouts of releases, the steps that they took, and the freeze calendar.

Rollout            one release of an AI system's feature on its way to people
  RolloutStep      a step with the gates as they were; never changes
RolloutFreeze      a time in which nothing is promoted
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.operations.gates.stage import Stage
from governance.operations.rollouts.ladders import read_ladder
from governance.operations.rollouts.life_cycle import OPEN, STATES, StageProgress

CHANGES = {
    "model": "Model",
    "prompt": "Prompt",
    "policy": "Policy",
    "feature": "Feature",
}
ON_FAILURE = {"halt": "Halt", "roll_back": "Roll back"}


def _one_of(column: str, values: Any) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(f"'{each}'" for each in values)})", column)


class Rollout(Tenanted, Model):
    """A release on its way from shadow to everybody; `previous` is the release that it replaces.

    `position` is the index of its stage in `ladder`, -1 before it is started. `counted_seconds` and
    `since` are the clock of the stage (life_cycle.StageProgress). The salt of its buckets is the
    feature's id, so that a rollout that is planned again gives every key the same bucket.
    """

    __tablename__ = "rollouts"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("feature_id", "system_features"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "system_id", "number"),
        Index(
            "uq_rollouts_open",
            "tenant_id",
            "feature_id",
            unique=True,
            postgresql_where=text("state IN ('planned', 'running', 'paused', 'halted')"),
        ),
        _one_of("change", CHANGES),
        _one_of("on_failure", ON_FAILURE),
        _one_of("state", STATES),
        CheckConstraint("release <> previous", "release"),
        CheckConstraint("position >= -1", "position"),
    )

    number: Mapped[int]
    system_id: Mapped[UUID]
    feature_id: Mapped[UUID]
    change: Mapped[str]
    release: Mapped[str]
    previous: Mapped[str]
    summary: Mapped[str]  # what is new in the release
    system_version: Mapped[int]  # of the register when it was planned
    risk_class: Mapped[str]  # of the system then; it chose the ladder
    ladder: Mapped[list[Any]]
    rollback_plan: Mapped[str] = mapped_column(default="")
    on_failure: Mapped[str]  # what a failed guardrail does by itself
    owner_id: Mapped[UUID | None]
    planned_by: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(default=1)  # grows with every change
    state: Mapped[str] = mapped_column(default="planned")
    position: Mapped[int] = mapped_column(default=-1)
    counted_seconds: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime | None]
    entered_at: Mapped[datetime | None]  # when it came to its stage
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def ref(self) -> str:
        return f"RO-{self.number}"

    @property
    def stages(self) -> tuple[Stage, ...]:
        return read_ladder(self.ladder)

    @property
    def stage(self) -> Stage | None:
        """Its stage; None before it is started."""
        return self.stages[self.position] if self.position >= 0 else None

    @property
    def next_stage(self) -> Stage | None:
        """The stage that a promotion leads to; None at the last one."""
        return self.stages[self.position + 1] if self.position + 1 < len(self.ladder) else None

    @property
    def progress(self) -> StageProgress:
        return StageProgress(
            self.state, self.position, timedelta(seconds=self.counted_seconds), self.since
        )

    @property
    def state_name(self) -> str:
        return STATES[self.state]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


class RolloutStep(Tenanted, Model):
    """One step: by a person, or by Meridian where `taken_by` is null. `gates` are the readings that
    it rested on. A person's reason is in the audit log alone, where an erasure reaches it.
    """

    __tablename__ = "rollout_steps"
    __table_args__ = (
        tenant_fk("rollout_id", "rollouts"),
        UniqueConstraint("tenant_id", "rollout_id", "number"),
    )

    rollout_id: Mapped[UUID]
    number: Mapped[int]
    step: Mapped[str]  # one of life_cycle.FROM
    position: Mapped[int]  # after the step
    taken_by: Mapped[UUID | None]
    requested_by: Mapped[UUID | None]  # where another person approved it
    cause: Mapped[str] = mapped_column(default="")  # gates that failed, of an automatic step
    gates: Mapped[list[Any]]


class RolloutFreeze(Tenanted, Model):
    """From `starts_at` up to `ends_at`, nothing is started, promoted, resumed or finished, and the
    clock of every stage stops. Halting and rolling back stay possible.
    """

    __tablename__ = "rollout_freezes"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", "ends_at"),
        Index(None, "tenant_id", "ends_at"),
    )

    name: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    cancelled_at: Mapped[datetime | None]
    added_by: Mapped[UUID | None]

    @property
    def end(self) -> datetime:
        """When it ends, or ended by being cancelled."""
        return min(self.ends_at, self.cancelled_at) if self.cancelled_at else self.ends_at
