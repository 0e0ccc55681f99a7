"""Access reviews and their items: every membership and API key, with the decision on it."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class AccessReview(Tenanted, Model):
    """A review of all access. One is open at a time; a closed one never changes."""

    __tablename__ = "access_reviews"
    __table_args__ = (
        tenant_fk("evidence_version_id", "evidence_versions"),
        Index(
            "uq_access_reviews_open",
            "tenant_id",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(None, "tenant_id", "created_at"),
        Index(None, "tenant_id", "evidence_version_id"),
    )

    title: Mapped[str]
    due_on: Mapped[date]
    started_by: Mapped[UUID | None]
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    evidence_version_id: Mapped[UUID | None]


class AccessReviewItem(Tenanted, Model):
    """A membership or API key as it was when the review started, and the decision on it."""

    __tablename__ = "access_review_items"
    __table_args__ = (
        tenant_fk("access_review_id", "access_reviews"),
        tenant_fk("membership_id", "memberships"),
        tenant_fk("key_id", "api_keys"),
        UniqueConstraint("tenant_id", "access_review_id", "membership_id"),
        UniqueConstraint("tenant_id", "access_review_id", "key_id"),
        Index(None, "tenant_id", "membership_id"),
        Index(None, "tenant_id", "key_id"),
        CheckConstraint("membership_id IS NOT NULL OR key_id IS NOT NULL", "one_subject"),
        CheckConstraint("decision IN ('keep', 'lower', 'revoke')", "decision"),
    )

    access_review_id: Mapped[UUID]
    membership_id: Mapped[UUID | None]
    key_id: Mapped[UUID | None]
    held: Mapped[str]  # Role, or the key's scopes, at the start of the review
    since: Mapped[datetime]
    used_at: Mapped[datetime | None]  # Last use known at that time
    decision: Mapped[str | None]
    role: Mapped[str | None]  # Role after a downgrade
    reason: Mapped[str]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
