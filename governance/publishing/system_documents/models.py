"""Versions of an AI system's documents, and the sentences that people write for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.web.forms import constraint
from governance.kernel.work.generated_files import StoredFile
from governance.publishing.system_documents.catalogue import KINDS, DocumentKind


class SystemDocument(Tenanted, Model):
    """One version of a document of one system.

    A draft follows the record. Completing it freezes what each point says as `content`.
    """

    __tablename__ = "system_documents"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id", "kind", "number"),
        Index(
            "uq_system_documents_draft",
            "tenant_id",
            "system_id",
            "kind",
            unique=True,
            postgresql_where="completed_at IS NULL",
        ),
        CheckConstraint("kind IN ('technical-file', 'impact-assessment')", "kind"),
        CheckConstraint("(completed_at IS NULL) = (content IS NULL)", "frozen"),
    )

    system_id: Mapped[UUID]
    kind: Mapped[str]
    number: Mapped[int]
    started_by: Mapped[UUID | None]
    completed_at: Mapped[datetime | None]
    completed_by: Mapped[UUID | None]
    content: Mapped[list[Any] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def kind_of(self) -> DocumentKind:
        return KINDS[self.kind]

    @property
    def is_complete(self) -> bool:
        return self.completed_at is not None

    @property
    def title(self) -> str:
        return f"{self.kind_of.name}, version {self.number}"


class DocumentStatement(Tenanted, Model):
    """The sentence that a person wrote for a point, bound to an evidence item.

    If the point doesn't apply, it is the reason why.
    """

    __tablename__ = "document_statements"
    __table_args__ = (
        tenant_fk("document_id", "system_documents"),
        tenant_fk("evidence_id", "evidence"),
        UniqueConstraint("tenant_id", "document_id", "point"),
        CheckConstraint("(evidence_id IS NULL) = does_not_apply", "bound"),
    )

    document_id: Mapped[UUID]
    point: Mapped[str]
    text: Mapped[str]
    evidence_id: Mapped[UUID | None]
    does_not_apply: Mapped[bool]
    written_by: Mapped[UUID | None]
    written_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)


class DocumentFile(StoredFile):
    """A zip of one version as a signed PDF. `open_points` are those that it prints as open."""

    __tablename__ = "document_files"
    __table_args__ = (
        tenant_fk("document_id", "system_documents"),
        Index(None, "tenant_id", "document_id"),
    )

    document_id: Mapped[UUID]
    open_points: Mapped[int | None] = mapped_column()


constraint(
    "uq_system_documents_draft",
    "Someone else started this version a moment ago. Open it from the list.",
)
constraint(
    "uq_document_statements_tenant_id_document_id_point",
    "Someone else wrote this point a moment ago. Review it, then save again.",
)
