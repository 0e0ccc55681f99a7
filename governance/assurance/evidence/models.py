"""Models of evidence items and their immutable versions, each reviewed by another person.

Evidence, EvidenceVersion, EvidenceReview, EvidenceLink   items, versions, supported controls
EvidenceFault                                             a missing or corrupted stored file
EvidenceWithdrawal                                        a version that no longer counts
EvidenceHold, EvidenceRetention, EvidenceDeletion         holds, retention, permanent deletion
EvidenceReminder, EvidencePush                            sent reminders and API requests
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from governance.foundation.api_keys.models import ApiKey
from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Evidence(Tenanted, Model):
    """An evidence item: a recurring document that shows that controls work."""

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
        viewonly=True,
        order_by="EvidenceVersion.uploaded_at",
        primaryjoin="Evidence.id == foreign(EvidenceVersion.evidence_id)",
    )
    links: Mapped[list["EvidenceLink"]] = relationship(
        viewonly=True,
        primaryjoin=(
            "and_(Evidence.id == foreign(EvidenceLink.evidence_id),"
            " EvidenceLink.removed_at.is_(None))"
        ),
    )


class EvidenceVersion(Tenanted, Model):
    """An uploaded file or link. Never changed: a correction is another version."""

    __tablename__ = "evidence_versions"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        UniqueConstraint("tenant_id", "evidence_id", "number"),
        Index(None, "tenant_id", "evidence_id", "uploaded_at"),
        Index(None, "tenant_id", "sha256"),
        tenant_fk("key_id", "api_keys"),
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
    key_id: Mapped[UUID | None]  # The API key that uploaded it.
    period_from: Mapped[date]
    period_to: Mapped[date]
    valid_until: Mapped[date]
    key: Mapped[ApiKey | None] = relationship(
        viewonly=True, primaryjoin=lambda: foreign(EvidenceVersion.key_id) == ApiKey.id
    )

    @property
    def key_name(self) -> str:
        return self.key.name if self.key else ""

    @property
    def key_hands(self) -> Sequence[str]:
        """Ids of the people who saw the secret of the API key that uploaded it."""
        return self.key.hands if self.key else ()


class EvidenceReview(Tenanted, Model):
    """The only review of a version, by another person: accepted, or rejected with a reason."""

    __tablename__ = "evidence_reviews"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "version_id"),
    )

    version_id: Mapped[UUID]
    decision: Mapped[str]
    reason: Mapped[str]
    reviewed_by: Mapped[UUID]
    reviewed_at: Mapped[datetime]


class EvidenceLink(Tenanted, Model):
    """A link from an item to a control that it supports, until `removed_at`."""

    __tablename__ = "evidence_links"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        tenant_fk("control_id", "controls"),
        Index(
            "uq_evidence_links_open",
            "tenant_id",
            "evidence_id",
            "control_id",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
        Index(None, "tenant_id", "control_id"),
    )

    evidence_id: Mapped[UUID]
    control_id: Mapped[UUID]
    note: Mapped[str] = mapped_column(default="")
    removed_at: Mapped[datetime | None]


class EvidenceFault(Tenanted, Model):
    """A missing or corrupted stored file, until a check finds it intact (`restored_at`)."""

    __tablename__ = "evidence_faults"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        Index(None, "tenant_id", "version_id"),
        Index(
            "uq_evidence_faults_open",
            "tenant_id",
            "version_id",
            unique=True,
            postgresql_where="restored_at IS NULL",
        ),
    )

    version_id: Mapped[UUID]
    kind: Mapped[str]  # missing altered
    found_at: Mapped[datetime]
    restored_at: Mapped[datetime | None]


class EvidenceWithdrawal(Tenanted, Model):
    """The withdrawal of a version whose source turned out to be invalid. It no longer counts."""

    __tablename__ = "evidence_withdrawals"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "version_id"),
    )

    version_id: Mapped[UUID]
    reason: Mapped[str]


class EvidenceHold(Tenanted, Model):
    """A legal hold. No file of the item can be deleted until it is released."""

    __tablename__ = "evidence_holds"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        Index(None, "tenant_id", "evidence_id"),
        Index(
            "uq_evidence_holds_open",
            "tenant_id",
            "evidence_id",
            unique=True,
            postgresql_where="released_at IS NULL",
        ),
    )

    evidence_id: Mapped[UUID]
    reason: Mapped[str]
    placed_by: Mapped[UUID]
    released_at: Mapped[datetime | None]
    released_by: Mapped[UUID | None]


class EvidenceRetention(Tenanted, Model):
    """The retention of a kind: months that files are kept after validity ends.

    Without a rule, files are kept indefinitely.
    """

    __tablename__ = "evidence_retention"
    __table_args__ = (UniqueConstraint("tenant_id", "kind"),)

    kind: Mapped[str]
    months: Mapped[int | None]  # None: indefinitely.
    version: Mapped[int]
    changed_by: Mapped[UUID]


class EvidenceDeletion(Tenanted, Model):
    """A request to delete the file of a version permanently, and its outcome.

    The row is kept as the deletion record: SHA-256, size, people, dates and reason.
    """

    __tablename__ = "evidence_deletions"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        Index(None, "tenant_id", "version_id"),
        Index(
            "uq_evidence_deletions_open",
            "tenant_id",
            "version_id",
            unique=True,
            postgresql_where="state IN ('requested', 'approved', 'done')",
        ),
    )

    version_id: Mapped[UUID]
    sha256: Mapped[str]
    size: Mapped[int]
    state: Mapped[str]  # requested approved done rejected withdrawn stopped
    reason: Mapped[str]
    by_rule: Mapped[bool]  # Requested by retention on behalf of the person who set the rule.
    requested_by: Mapped[UUID]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    work_item_id: Mapped[UUID | None]


class EvidenceReminder(Tenanted, Model):
    """A reminder that was sent to an owner, once per due date."""

    __tablename__ = "evidence_reminders"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        UniqueConstraint("tenant_id", "evidence_id", "due_on", "person_id"),
    )

    evidence_id: Mapped[UUID]
    due_on: Mapped[date]
    person_id: Mapped[UUID]


class EvidencePush(Tenanted, Model):
    """An API request with its response, so that a retry gets the same response."""

    __tablename__ = "evidence_pushes"
    __table_args__ = (
        tenant_fk("key_id", "api_keys"),
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "key_id", "idempotency_key"),
        Index(None, "tenant_id", "version_id"),
        Index(None, "tenant_id", "created_at"),
    )

    key_id: Mapped[UUID]
    idempotency_key: Mapped[str]
    digest: Mapped[str]  # SHA-256 of the request's values.
    version_id: Mapped[UUID]
    answer: Mapped[dict[str, Any]]
