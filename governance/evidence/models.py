"""Evidence: a thing that recurs (title, owner, cadence) and its immutable versions, each reviewed by another person."""

from datetime import date, datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from governance.kernel.db import Model, Tenanted, tenant_fk

if TYPE_CHECKING:
    from governance.controls.models import Control


class Evidence(Tenanted, Model):
    """What proves that a control works, kept up to date by its owner."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("tenant_id", "ref"),)

    ref: Mapped[str]
    title: Mapped[str]
    kind: Mapped[str]
    cadence: Mapped[str]
    confidentiality: Mapped[str] = mapped_column(default="internal")
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date | None]
    version: Mapped[int] = mapped_column(default=1)
    retired_at: Mapped[datetime | None]
    versions: Mapped[list["EvidenceVersion"]] = relationship(
        viewonly=True, order_by="EvidenceVersion.uploaded_at", primaryjoin="Evidence.id == foreign(EvidenceVersion.evidence_id)"
    )
    links: Mapped[list["EvidenceLink"]] = relationship(
        viewonly=True, primaryjoin="and_(Evidence.id == foreign(EvidenceLink.evidence_id), EvidenceLink.removed_at.is_(None))"
    )


class EvidenceVersion(Tenanted, Model):
    """One file or link, as it was brought in. Never changed; a better one is another version."""

    __tablename__ = "evidence_versions"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        UniqueConstraint("tenant_id", "evidence_id", "number"),
        Index(None, "tenant_id", "evidence_id", "uploaded_at"),
        CheckConstraint("(sha256 IS NULL) <> (url IS NULL)", "file_or_link"),
        CheckConstraint("period_from <= period_to", "period_order"),
    )

    evidence_id: Mapped[UUID]
    number: Mapped[int]
    filename: Mapped[str | None]
    media_type: Mapped[str | None]
    size: Mapped[int | None]
    sha256: Mapped[str | None]
    storage_key: Mapped[str | None]
    url: Mapped[str | None]
    source: Mapped[str]
    collected_at: Mapped[datetime]
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID | None]
    period_from: Mapped[date]
    period_to: Mapped[date]
    valid_until: Mapped[date]


class EvidenceReview(Tenanted, Model):
    """Another person's judgement on a version: accepted, or rejected with a reason. Once."""

    __tablename__ = "evidence_reviews"
    __table_args__ = (tenant_fk("version_id", "evidence_versions"), UniqueConstraint("tenant_id", "version_id"))

    version_id: Mapped[UUID]
    decision: Mapped[str]
    reason: Mapped[str]
    reviewed_by: Mapped[UUID]
    reviewed_at: Mapped[datetime]


class EvidenceLink(Tenanted, Model):
    """Evidence supports a control, and how, from a moment on, until it is removed."""

    __tablename__ = "evidence_links"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        tenant_fk("control_id", "controls"),
        Index(
            "uq_evidence_links_open", "tenant_id", "evidence_id", "control_id", unique=True, postgresql_where="removed_at IS NULL"
        ),
        Index(None, "tenant_id", "control_id"),
    )

    evidence_id: Mapped[UUID]
    control_id: Mapped[UUID]
    note: Mapped[str] = mapped_column(default="")
    removed_at: Mapped[datetime | None]
    control: Mapped["Control"] = relationship(viewonly=True, primaryjoin="foreign(EvidenceLink.control_id) == Control.id")
