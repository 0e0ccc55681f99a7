"""Data sets, their published versions, and the AI systems that use them."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

PURPOSES = {"training": "Training", "retrieval": "Retrieval", "evaluation": "Evaluation"}


class DataSet(Tenanted, Model):
    """Data that AI systems are trained on, retrieve from, or are evaluated with."""

    __tablename__ = "data_sets"
    __table_args__ = (
        UniqueConstraint("tenant_id", "key"),
        Index(None, "tenant_id", "name", "id"),
        CheckConstraint("version >= 0", "version"),
    )

    key: Mapped[str]  # slug
    name: Mapped[str]
    description: Mapped[str]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    version: Mapped[int] = mapped_column(default=0)  # Published version; 0 before
    draft: Mapped[dict[str, Any] | None]  # Content of the next version, as content.py writes it
    draft_revision: Mapped[int] = mapped_column(default=0)  # Increases with each save of a draft
    retired_at: Mapped[datetime | None]

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


class DataSetVersion(Tenanted, Model):
    """A published description of a data set. A version never changes."""

    __tablename__ = "data_set_versions"
    __table_args__ = (
        tenant_fk("data_set_id", "data_sets"),
        UniqueConstraint("tenant_id", "data_set_id", "number"),
        CheckConstraint("consent_until >= consent_from", "consent"),
        CheckConstraint("newest_record >= oldest_record", "records"),
        CheckConstraint("duplicate_percent BETWEEN 0 AND 100", "duplicates"),
        CheckConstraint("licence <> '' OR licence_text <> ''", "licence"),
    )

    data_set_id: Mapped[UUID]
    number: Mapped[int]
    provenance: Mapped[str]
    source_url: Mapped[str]
    source_version: Mapped[str]
    licence: Mapped[str]  # SPDX expression; empty if the licence is the tenant's own text
    licence_text: Mapped[str]
    personal_data: Mapped[str]
    consent_basis: Mapped[str]
    consent_from: Mapped[date | None]
    consent_until: Mapped[date | None]  # Last day of consent
    oldest_record: Mapped[date | None]
    newest_record: Mapped[date | None]
    max_age_days: Mapped[int | None]  # Maximum age of the newest record
    duplicate_percent: Mapped[Decimal | None] = mapped_column(Numeric(5, 2))
    row_count: Mapped[int | None] = mapped_column(BigInteger)
    known_gaps: Mapped[str]
    change_note: Mapped[str]
    file_sha256: Mapped[str]  # SHA-256 of the imported Croissant file; empty if typed
    published_by: Mapped[UUID | None]


class DataSetUse(Tenanted, Model):
    """The use of a data set by an AI system, with its purpose."""

    __tablename__ = "data_set_uses"
    __table_args__ = (
        tenant_fk("data_set_id", "data_sets"),
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "data_set_id", "system_id", "purpose"),
        Index(None, "tenant_id", "system_id"),
        CheckConstraint("purpose IN ('training', 'retrieval', 'evaluation')", "purpose"),
    )

    data_set_id: Mapped[UUID]
    system_id: Mapped[UUID]
    purpose: Mapped[str]
    ended_at: Mapped[datetime | None]

    @property
    def purpose_name(self) -> str:
        return PURPOSES[self.purpose]
