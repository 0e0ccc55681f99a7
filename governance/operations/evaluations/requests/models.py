"""Requests to runners for evaluations.

EvaluationRequest   a suite version on a release of an AI system, until a run arrives or time is up
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

OPEN = ("sent", "running")
REQUEST_STATES = (*OPEN, "done", "failed", "cancelled", "unanswered")


class EvaluationRequest(Tenanted, Model):
    """A request to runners: `sent`, `running` after a report, and how it ended.

    `samples` is the number of cases; without it the runner takes all cases of the suite.
    """

    __tablename__ = "evaluation_requests"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("version_id", "evaluation_suite_versions"),
        tenant_fk("run_id", "evaluation_runs"),
        Index(None, "tenant_id", "created_at"),
        Index(None, "tenant_id", "state", "ends_at"),
        CheckConstraint(f"state IN ({', '.join(f"'{each}'" for each in REQUEST_STATES)})", "state"),
        CheckConstraint("samples > 0", "samples"),
        CheckConstraint("done >= 0 AND total >= 0", "progress"),
    )

    system_id: Mapped[UUID]
    version_id: Mapped[UUID]
    release: Mapped[str]
    samples: Mapped[int | None]
    requested_by: Mapped[UUID | None]
    state: Mapped[str] = mapped_column(default="sent")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    note: Mapped[str] = mapped_column(default="")  # Runner's note, or why it failed
    heard_at: Mapped[datetime | None]
    ends_at: Mapped[datetime]  # Deadline without a report from the runner
    ended_at: Mapped[datetime | None]
    run_id: Mapped[UUID | None]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0
