"""Evidence items (title, owner, cadence) and their immutable versions, each reviewed by another
person.

Evidence, EvidenceVersion, EvidenceReview, EvidenceLink      items, versions, and what they support
EvidenceFault                                                a stored file that is missing or
corrupted
EvidenceWithdrawal                                           a version that counts no more
EvidenceHold, EvidenceRetention, EvidenceDeletion            legal holds, retention, permanent
deletion
EvidenceReminder, EvidencePush                               what was sent or pushed, once
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
    """One uploaded file or link. Never changed; a correction is another version."""

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
    key_id: Mapped[UUID | None]  # of the API key that uploaded it
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
        """Ids of those who were shown the secret of the key that uploaded it."""
        return self.key.hands if self.key else ()


class EvidenceReview(Tenanted, Model):
    """Another person's review of a version: accepted, or rejected with a reason. Once."""

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
    """Evidence supports a control, and how, from a moment on, until it is removed."""

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
    """The stored file of a version is missing or corrupted, until a check finds it intact again."""

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
    """A version counts no more from then on: what it was filed from says nothing. Once."""

    __tablename__ = "evidence_withdrawals"
    __table_args__ = (
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "version_id"),
    )

    version_id: Mapped[UUID]
    reason: Mapped[str]


class EvidenceHold(Tenanted, Model):
    """A legal hold: no file of the item can be deleted until it is released."""

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
    """How many months files of this kind are kept after validity ends; no rule: indefinitely."""

    __tablename__ = "evidence_retention"
    __table_args__ = (UniqueConstraint("tenant_id", "kind"),)

    kind: Mapped[str]
    months: Mapped[int | None]  # None: for ever
    version: Mapped[int]
    changed_by: Mapped[UUID]


class EvidenceDeletion(Tenanted, Model):
    """A request to delete the file of a version permanently, and what came of it.

    The row stays as the deletion record: which bytes, how many, who, when and why.
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
    state: Mapped[str]  # asked approved done refused withdrawn stopped
    reason: Mapped[str]
    by_rule: Mapped[bool]  # retention asked, in the name of who set the rule
    requested_by: Mapped[UUID]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
    work_item_id: Mapped[UUID | None]


class EvidenceReminder(Tenanted, Model):
    """A reminder to an owner about a due date; once."""

    __tablename__ = "evidence_reminders"
    __table_args__ = (
        tenant_fk("evidence_id", "evidence"),
        UniqueConstraint("tenant_id", "evidence_id", "due_on", "person_id"),
    )

    evidence_id: Mapped[UUID]
    due_on: Mapped[date]
    person_id: Mapped[UUID]


class EvidencePush(Tenanted, Model):
    """A pushed request and its response, so that the same request gets the same response."""

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
    digest: Mapped[str]  # of all that was asked
    version_id: Mapped[UUID]
    answer: Mapped[dict[str, Any]]
