"""How often what was asked and answered: counts, never content, never who."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted


class DecisionCount(Tenanted, Model):
    """So many answers of one value to one flag, for one system, within a minute (later folded into
    its day).
    """

    __tablename__ = "decision_counts"
    __table_args__ = (
        UniqueConstraint("tenant_id", "grain", "at", "system", "flag", "value"),
        Index(None, "tenant_id", "grain", "system", "at"),
    )

    grain: Mapped[str]  # minute or day
    at: Mapped[datetime]  # its beginning, UTC
    system: Mapped[str]  # the short name; empty when none was named
    flag: Mapped[str]  # "bulk" for all flags at once
    value: Mapped[str]
    asked: Mapped[int] = mapped_column(BigInteger)
