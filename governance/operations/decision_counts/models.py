"""Counts of decisions, without their content and without people."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class DecisionCount(Tenanted, Model):
    """The number of decisions with one value of one flag, for one system, in a minute or a day."""

    __tablename__ = "decision_counts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "grain", "at", "system", "flag", "value"),
        Index(None, "tenant_id", "grain", "system", "at"),
    )

    grain: Mapped[str]  # minute | day
    at: Mapped[datetime]  # Start, in UTC
    system: Mapped[str]  # System slug; empty for a request without a system
    flag: Mapped[str]  # "bulk" for all flags at once
    value: Mapped[str]
    asked: Mapped[int] = mapped_column(BigInteger)
