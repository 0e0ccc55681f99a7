"""Indicators that count the cases of evaluation runs."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class EvaluationFeed(Tenanted, Model):
    """A measure of a suite feeds an indicator, until it is stopped. An indicator has one at a time."""

    __tablename__ = "indicator_evaluations"
    __table_args__ = (
        tenant_fk("indicator_id", "indicators"),
        tenant_fk("suite_id", "evaluation_suites"),
        Index(
            "uq_indicator_evaluations_open",
            "tenant_id",
            "indicator_id",
            unique=True,
            postgresql_where=text("stopped_at IS NULL"),
        ),
        Index(None, "tenant_id", "suite_id"),
    )

    indicator_id: Mapped[UUID]
    suite_id: Mapped[UUID]
    measure: Mapped[str]  # Key in the suite
    started_by: Mapped[UUID | None]
    stopped_at: Mapped[datetime | None] = mapped_column(default=None)
