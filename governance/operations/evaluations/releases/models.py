"""The releases that people state for AI systems without a rollout."""

from datetime import date
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class ServedRelease(Tenanted, Model):
    """A release that an AI system serves since a day, as a person stated it; the newest counts."""

    __tablename__ = "served_releases"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        Index(None, "tenant_id", "system_id", "since"),
        CheckConstraint("release <> ''", "release"),
    )

    system_id: Mapped[UUID]
    release: Mapped[str]
    since: Mapped[date]
    stated_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
