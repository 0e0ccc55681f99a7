"""AI systems and their features."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted, tenant_fk

LANES = {"standard": "Standard", "high_risk": "High risk"}


class AISystem(Tenanted, Model):
    """One AI system that the tenant is accountable for. `lane` is its risk class."""

    __tablename__ = "ai_systems"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str]
    name: Mapped[str]
    lane: Mapped[str] = mapped_column(default="standard")
    purpose: Mapped[str]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    retired_at: Mapped[datetime | None]

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    @property
    def lane_name(self) -> str:
        return LANES[self.lane]


class SystemFeature(Tenanted, Model):
    """A part of the system that can be stopped by itself."""

    __tablename__ = "system_features"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id", "key"),
    )

    system_id: Mapped[UUID]
    key: Mapped[str]
    fallback: Mapped[str]  # what happens while it is stopped
    retired_at: Mapped[datetime | None]
