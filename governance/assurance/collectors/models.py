"""The table of collector runs: the period, the result and the evidence version."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import tenant_fk
from governance.kernel.work.background_work import Generated


class CollectorRun(Generated):
    """A run for one period: one on schedule, and any number of manual ones."""

    __tablename__ = "collector_runs"
    __table_args__ = (
        tenant_fk("evidence_version_id", "evidence_versions"),
        Index(
            "uq_collector_runs_scheduled",
            "tenant_id",
            "key",
            "period",
            unique=True,
            postgresql_where=text("scheduled"),
        ),
        Index(None, "tenant_id", "key", "created_at"),
        Index(None, "tenant_id", "evidence_version_id"),
    )

    key: Mapped[str]
    period: Mapped[str]
    period_from: Mapped[date]
    period_to: Mapped[date]
    scheduled: Mapped[bool]
    # One of queued, filed, nothing (it was not performed) or missed (Meridian wasn't running, and
    # it can't be collected later).
    state: Mapped[str]
    is_fine: Mapped[bool | None]  # Whether the result needs no attention
    says: Mapped[str] = mapped_column(default="")
    rows: Mapped[int | None]
    sha256: Mapped[str | None]  # Of the population's table
    query: Mapped[str] = mapped_column(default="")
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    preview: Mapped[list[Any]] = mapped_column(default=list)  # Column names, then the first rows
    ran_at: Mapped[datetime | None]
    evidence_version_id: Mapped[UUID | None]

    @property
    def is_ready(self) -> bool:
        """True if the run has ended: collected, nothing found, or missed."""
        return self.state != "queued"
