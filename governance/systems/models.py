"""The register of AI systems, first form: what assessments can be scoped to."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted

LANES = {"standard": "Standard", "high_risk": "High risk"}


class AISystem(Tenanted, Model):
    """One AI system that the tenant is answerable for."""

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
