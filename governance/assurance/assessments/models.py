"""Tables of assessments, their items, conclusions, sign-offs and comments.

An assessment judges how far the controls satisfy a framework over a period. One person concludes,
another signs off.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Assessment(Tenanted, Model):
    """An assessment of a framework version, with a scope and a period.

    Closing freezes what it shows under a digest.
    """

    __tablename__ = "assessments"
    __table_args__ = (
        CheckConstraint("period_from < period_to", "period_order"),
        tenant_fk("system_id", "ai_systems"),
    )

    framework_id: Mapped[UUID] = mapped_column(ForeignKey("frameworks.id"))
    title: Mapped[str]
    scope: Mapped[str] = mapped_column(default="organisation")
    system_id: Mapped[UUID | None]
    period_from: Mapped[date]
    period_to: Mapped[date]
    revision: Mapped[int] = mapped_column(default=1)
    started_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    digest: Mapped[str | None]
    frozen: Mapped[dict[str, Any] | None]
    # The same results and their digest, with people by role and letter, for auditors who see no
    # names.
    frozen_without_names: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)
    digest_without_names: Mapped[str | None]
    stale_since: Mapped[datetime | None]  # When its system changed substantially
    stale_version: Mapped[int | None]  # Version of the system with that change


class AssessmentItem(Tenanted, Model):
    """One requirement in an assessment: the target and the owner.

    `version` guards edits.
    """

    __tablename__ = "assessment_items"
    __table_args__ = (
        tenant_fk("assessment_id", "assessments"),
        UniqueConstraint("tenant_id", "assessment_id", "requirement_id"),
        CheckConstraint("target BETWEEN 0 AND 4", "target_level"),
    )

    assessment_id: Mapped[UUID]
    requirement_id: Mapped[UUID] = mapped_column(ForeignKey("requirements.id"))
    target: Mapped[int]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)


class Conclusion(Tenanted, Model):
    """The assessor's judgement on an item; each revision is a row, the last one counts."""

    __tablename__ = "conclusions"
    __table_args__ = (
        tenant_fk("item_id", "assessment_items"),
        UniqueConstraint("tenant_id", "item_id", "revision"),
        CheckConstraint("level BETWEEN 0 AND 4", "level_range"),
    )

    item_id: Mapped[UUID]
    revision: Mapped[int]
    level: Mapped[int]
    rationale: Mapped[str]
    concluded_by: Mapped[UUID]
    concluded_at: Mapped[datetime]
    return_reason: Mapped[str | None]


class SignOff(Tenanted, Model):
    """A sign-off of one revision of a conclusion by another person than its assessor."""

    __tablename__ = "sign_offs"
    __table_args__ = (
        tenant_fk("conclusion_id", "conclusions"),
        UniqueConstraint("tenant_id", "conclusion_id"),
    )

    conclusion_id: Mapped[UUID]
    signed_by: Mapped[UUID]
    signed_at: Mapped[datetime]
    entry_id: Mapped[UUID | None]


class Comment(Tenanted, Model):
    """A remark in the discussion of an item."""

    __tablename__ = "assessment_comments"
    __table_args__ = (
        tenant_fk("item_id", "assessment_items"),
        Index(None, "tenant_id", "item_id", "created_at"),
    )

    item_id: Mapped[UUID]
    text: Mapped[str]
    written_by: Mapped[UUID]
