"""Tables of risks: scales, controls, scores over time and acceptances."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class RiskScale(Tenanted, Model):
    """A version of the tenant's own scale; it never changes.

    Version 1 is the default of scales.py and has no row. `likelihood` and `impact` are the names of
    their steps, lowest first. `low_to`, `medium_to` and `high_to` are the highest scores of three
    bands; higher scores are critical.
    """

    __tablename__ = "risk_scales"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("0 < low_to AND low_to < medium_to AND medium_to < high_to", "bands"),
        CheckConstraint("number > 1 AND appetite > 0 AND max_acceptance_days > 0", "positive"),
    )

    number: Mapped[int]
    likelihood: Mapped[list[Any]]
    impact: Mapped[list[Any]]
    low_to: Mapped[int]
    medium_to: Mapped[int]
    high_to: Mapped[int]
    appetite: Mapped[int]  # The highest score that needs no acceptance.
    max_acceptance_days: Mapped[int]
    reason: Mapped[str]
    changed_by: Mapped[UUID | None]


class Risk(Tenanted, Model):
    """A risk with its score before controls. `version` guards against concurrent edits.

    `sources` are ids of source_lists.py; none means the tenant's own risk. `scale_number` is the
    version of the scale that it was scored on. scoring.py computes the score after controls.
    """

    __tablename__ = "risks"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("likelihood > 0 AND impact > 0", "score"),
        CheckConstraint("treatment IN ('avoid', 'reduce', 'transfer', 'accept')", "treatment"),
    )

    number: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    sources: Mapped[list[Any]]
    likelihood: Mapped[int]
    impact: Mapped[int]
    scale_number: Mapped[int]
    rescore_since: Mapped[datetime | None]  # When a scale with other steps came into use.
    treatment: Mapped[str]
    plan: Mapped[str]
    due_on: Mapped[date | None]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    version: Mapped[int] = mapped_column(default=1)
    closed_at: Mapped[datetime | None]
    close_reason: Mapped[str | None]

    @property
    def ref(self) -> str:
        return f"RSK-{self.number}"


class RiskSystem(Tenanted, Model):
    """An AI system that has the risk. A risk without any concerns all systems."""

    __tablename__ = "risk_systems"
    __table_args__ = (
        tenant_fk("risk_id", "risks"),
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "risk_id", "system_id"),
        Index(None, "tenant_id", "system_id"),
    )

    risk_id: Mapped[UUID]
    system_id: Mapped[UUID]


class RiskControl(Tenanted, Model):
    """A control that lowers the likelihood or the impact by some steps while it is effective."""

    __tablename__ = "risk_controls"
    __table_args__ = (
        tenant_fk("risk_id", "risks"),
        tenant_fk("control_id", "controls"),
        UniqueConstraint("tenant_id", "risk_id", "control_id"),
        Index(None, "tenant_id", "control_id"),
        CheckConstraint("reduces IN ('likelihood', 'impact') AND steps > 0", "reduction"),
    )

    risk_id: Mapped[UUID]
    control_id: Mapped[UUID]
    reduces: Mapped[str]
    steps: Mapped[int]


class RiskScore(Tenanted, Model):
    """The score of a risk before and after controls from a moment on; it never changes.

    `controls` are (ref, status) pairs of the controls at that time.
    """

    __tablename__ = "risk_scores"
    __table_args__ = (
        tenant_fk("risk_id", "risks"),
        Index(None, "tenant_id", "risk_id", "at"),
    )

    risk_id: Mapped[UUID]
    at: Mapped[datetime]
    scale_number: Mapped[int]
    likelihood: Mapped[int]
    impact: Mapped[int]
    residual_likelihood: Mapped[int]
    residual_impact: Mapped[int]
    controls: Mapped[list[Any]]
    cause: Mapped[str]  # The reason for the change, as a sentence part.


class RiskAcceptance(Tenanted, Model):
    """A request to accept a risk until a day, and the second person's decision.

    It covers the residual score that it names. Any change of that score makes it stale.
    """

    __tablename__ = "risk_acceptances"
    __table_args__ = (
        tenant_fk("risk_id", "risks"),
        Index(
            "uq_risk_acceptances_open",
            "tenant_id",
            "risk_id",
            unique=True,
            postgresql_where="state = 'requested'",
        ),
        Index(None, "tenant_id", "risk_id", "requested_at"),
        CheckConstraint(
            "state IN ('requested', 'accepted', 'rejected', 'withdrawn', 'voided', 'expired',"
            " 'replaced', 'ended')",
            "state",
        ),
    )

    risk_id: Mapped[UUID]
    state: Mapped[str]
    scale_number: Mapped[int]
    likelihood: Mapped[int]
    impact: Mapped[int]
    reason: Mapped[str]
    expires_on: Mapped[date]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    accepted_by: Mapped[UUID | None]
    accepted_at: Mapped[datetime | None]
    stale_at: Mapped[datetime | None]
    stale_reason: Mapped[str] = mapped_column(default="")

    @property
    def score(self) -> int:
        return self.likelihood * self.impact
