"""Reports generated automatically after each month or quarter.

ReportSchedule     the report, its cadence, and its recipients
ScheduledReport    the report of one period: one per schedule and period
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

CADENCES: Mapping[str, str] = {"monthly": "Every month", "quarterly": "Every quarter"}
# The log has the reason why a report wasn't generated.
REPORT_FAILED = "report_schedule.report.failed"


class ReportSchedule(Tenanted, Model):
    """A schedule of a report. It covers the period of `starts_on` and later ones, until it ends.

    `parameters` are those of the kind of report: the categories of a SOC 2 readiness report, the
    framework of a Type II matrix. `recipients` are ids of people, as text.
    """

    __tablename__ = "report_schedules"
    __table_args__ = (
        Index(None, "tenant_id", "ended_at"),
        CheckConstraint("cadence IN ('monthly', 'quarterly')", "cadence"),
    )

    kind: Mapped[str]
    cadence: Mapped[str]
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    recipients: Mapped[list[Any]] = mapped_column(default=list)
    starts_on: Mapped[date]
    created_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]

    @property
    def people(self) -> set[UUID]:
        return {UUID(each) for each in self.recipients}


class ScheduledReport(Tenanted, Model):
    """The report of one period of a schedule."""

    __tablename__ = "scheduled_reports"
    __table_args__ = (
        tenant_fk("schedule_id", "report_schedules"),
        tenant_fk("report_run_id", "report_runs"),
        UniqueConstraint("tenant_id", "schedule_id", "first_day"),
        Index(None, "tenant_id", "report_run_id"),
    )

    schedule_id: Mapped[UUID]
    report_run_id: Mapped[UUID]
    first_day: Mapped[date]
    last_day: Mapped[date]
