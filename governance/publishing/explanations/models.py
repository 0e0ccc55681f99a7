"""The address of an AI system's public explanation, and the sites that may embed it."""

from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class SystemExplanation(Tenanted, Model):
    """The public page “Why am I seeing this?” of one AI system. Its address contains `token`.

    `origins` are the sites that may embed it, such as https://app.example. The default is none.
    """

    __tablename__ = "system_explanations"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "system_id"),
    )

    system_id: Mapped[UUID]
    token: Mapped[str]
    is_public: Mapped[bool] = mapped_column(default=True)
    origins: Mapped[list[Any]] = mapped_column(default=list)
