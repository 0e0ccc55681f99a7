"""Rollouts of releases, their steps, and the freeze calendar.

Rollout            one release of an AI system's feature on its way to people
  RolloutStep      a step with the gates at that time; never changes
RolloutFreeze      a period without promotions
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

    `position` is the index of its stage in `ladder`, -1 before the start. `counted_seconds` and
    `since` are the clock of the stage (life_cycle.StageProgress). The salt of its buckets is the
    feature's id, so that another rollout of the feature gives every key the same bucket.
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
    summary: Mapped[str]  # News in the release
    system_version: Mapped[int]  # Version of the system in the register when planned
    risk_class: Mapped[str]  # Risk class of the system then, which chose the ladder
    ladder: Mapped[list[Any]]
    rollback_plan: Mapped[str] = mapped_column(default="")
    on_failure: Mapped[str]  # Automatic step after a failed guardrail
    owner_id: Mapped[UUID | None]
    planned_by: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(default=1)  # Increases with every change
    state: Mapped[str] = mapped_column(default="planned")
    position: Mapped[int] = mapped_column(default=-1)
    counted_seconds: Mapped[int] = mapped_column(default=0)
    since: Mapped[datetime | None]
    entered_at: Mapped[datetime | None]  # Time when it entered its stage
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
        """The current stage; None before the start."""
        return self.stages[self.position] if self.position >= 0 else None

    @property
    def next_stage(self) -> Stage | None:
        """The stage after a promotion; None at the last one."""
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
    """One step, by a person or, if `taken_by` is null, by Meridian.

    `gates` are the readings behind it. A person's reason is only in the audit log, where an erasure
    can remove it.
    """

    __tablename__ = "rollout_steps"
    __table_args__ = (
        tenant_fk("rollout_id", "rollouts"),
        UniqueConstraint("tenant_id", "rollout_id", "number"),
    )

    rollout_id: Mapped[UUID]
    number: Mapped[int]
    step: Mapped[str]  # One of life_cycle.FROM
    position: Mapped[int]  # Position after the step
    taken_by: Mapped[UUID | None]
    requested_by: Mapped[UUID | None]  # Requester, if another person approved it
    cause: Mapped[str] = mapped_column(default="")  # Failed gates of an automatic step
    gates: Mapped[list[Any]]


class RolloutFreeze(Tenanted, Model):
    """A period without starts, promotions, resumptions and ends of rollouts.

    It lasts from `starts_at` up to `ends_at` and stops the clock of every stage. Halting and
    rolling back stay possible.
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
        """The time of its end or of its cancellation."""
        return min(self.ends_at, self.cancelled_at) if self.cancelled_at else self.ends_at
