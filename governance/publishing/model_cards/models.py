"""Published model cards, what readers see of known failures, and the public address of a system.

ModelCard           one published version; what it says never changes
KnownFailureText    what readers see of a finding or an incident
PublicAddress       the token in the public address of a system
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted, tenant_fk
from governance.kernel.forms import constraint


class ModelCard(Tenanted, Model):
    """A published version. `content` is card.content(), and `sha256` the digest of it."""

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


class KnownFailureText(Tenanted, Model):
    """What readers see of one finding or one incident of a system.

    `is_over` is what the finding or incident was when a person wrote the text: once it is over,
    the text is written again.
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
    """Where anybody who has the address reads about a system. Nobody can guess it."""

    __tablename__ = "system_public_addresses"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id"),
        UniqueConstraint("tenant_id", "token"),
    )

    system_id: Mapped[UUID]
    token: Mapped[str]


for name in ("finding_id", "incident_id"):
    constraint(
        f"uq_known_failure_texts_tenant_id_system_id_{name}",
        "Someone else wrote this text a moment ago. Review it, then save again.",
    )
