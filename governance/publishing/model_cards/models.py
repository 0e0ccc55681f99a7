"""Published model cards, the texts on known failures, and a system's public address.

ModelCard           one published version; its content never changes
KnownFailureText    the text about a finding or an incident that readers see
PublicAddress       the token in the public address of a system
CardRelease         the release that people chose for the next version
CardFile            a version, or a draft, as a signed PDF
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.web.forms import constraint
from governance.kernel.work.generated_files import StoredFile
from governance.publishing.model_cards.card import without_ids


class ModelCard(Tenanted, Model):
    """A published version. `content` is card.content(), and `sha256` is its digest."""

    __tablename__ = "model_cards"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id", "number"),
        CheckConstraint("number >= 1", "number"),
        CheckConstraint("(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)", "withdrawn"),
    )

    system_id: Mapped[UUID]
    number: Mapped[int]
    release: Mapped[str]
    content: Mapped[dict[str, Any]]
    sha256: Mapped[str]
    published_by: Mapped[UUID | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    withdrawal_reason: Mapped[str | None]

    @property
    def is_withdrawn(self) -> bool:
        return self.withdrawn_at is not None

    @property
    def title(self) -> str:
        return f"Model card {self.number}"

    @property
    def public_content(self) -> dict[str, Any]:
        """The content for readers in each format, with the SHA-256 of `card` as RFC 8785 writes it."""
        return {
            "version": self.number,
            "published_at": self.created_at.isoformat(),
            "sha256": self.sha256,
            "card": without_ids(self.content),
        }


class KnownFailureText(Tenanted, Model):
    """The text about one finding or incident of a system, as readers see it.

    `is_over` is the state of the finding or incident when a person wrote the text. Once that
    changes, the text has to be written again.
    """

    __tablename__ = "known_failure_texts"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("finding_id", "evaluation_findings"),
        tenant_fk("incident_id", "incidents"),
        UniqueConstraint("tenant_id", "system_id", "finding_id"),
        UniqueConstraint("tenant_id", "system_id", "incident_id"),
        CheckConstraint("finding_id IS NOT NULL OR incident_id IS NOT NULL", "source"),
    )

    system_id: Mapped[UUID]
    finding_id: Mapped[UUID | None]
    incident_id: Mapped[UUID | None]
    title: Mapped[str]
    text: Mapped[str]
    is_over: Mapped[bool]
    written_by: Mapped[UUID | None]
    written_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)


class PublicAddress(Tenanted, Model):
    """The public address of a system, readable by anybody who has it. Nobody can guess it."""

    __tablename__ = "system_public_addresses"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id"),
        UniqueConstraint("tenant_id", "token"),
    )

    system_id: Mapped[UUID]
    token: Mapped[str]


class CardRelease(Tenanted, Model):
    """The release that the next version describes.

    Without a release or a row, it is the served release, or else the one that was evaluated last.
    """

    __tablename__ = "model_card_releases"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id"),
    )

    system_id: Mapped[UUID]
    release: Mapped[str]
    chosen_by: Mapped[UUID | None]
    chosen_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=1)


class CardFile(StoredFile):
    """A zip of a published version, or of the draft, as a signed PDF.

    A draft shows the record at generation time, and prints the things in `missing` as missing.
    """

    __tablename__ = "model_card_files"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("model_card_id", "model_cards"),
        Index(None, "tenant_id", "system_id", "model_card_id"),
    )

    system_id: Mapped[UUID]
    model_card_id: Mapped[UUID | None]
    missing: Mapped[int | None]

    @property
    def is_draft(self) -> bool:
        return self.model_card_id is None


constraint(
    "uq_model_card_releases_tenant_id_system_id",
    "Someone else chose a release a moment ago. Review it, then choose again.",
)
for name in ("finding_id", "incident_id"):
    constraint(
        f"uq_known_failure_texts_tenant_id_system_id_{name}",
        "Someone else wrote this text a moment ago. Review it, then save again.",
    )
