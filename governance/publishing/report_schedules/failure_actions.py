"""Failures of scheduled reports: record them, and notify the person who set the schedule up.

record_refused(id, cause)   a request failed; it is retried in an hour
record_failed()             the requested report's work failed; a person retries it on its page

Repeated failures are reported once: requests once per period, work once per report.
"""

from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.notifications.actions import Happening, notify
from governance.foundation.people.queries import members
from governance.kernel import current
from governance.kernel.work.jobs import once_per
from governance.publishing.report_schedules import permissions, queries
from governance.publishing.report_schedules.models import REPORT_FAILED, ReportSchedule
from governance.publishing.report_schedules.periods import ReportPeriod

FAILED = action(
    REPORT_FAILED,
    "couldn't generate a scheduled report",
    target="ReportSchedule",
    activity="update",
    severity="low",
    fields="kind period cause report",
    shape="bad",
)


def record_refused(schedule_id: UUID, cause: str) -> None:
    """Record why the due reports can't be requested, and notify about the newest period.

    `cause` is a sentence for the person who set the schedule up.
    """
    row = queries.schedule(schedule_id, lock=True)
    due = queries.due_periods(row) if row.ended_at is None else ()
    if due:
        _record(row, due[-1], cause, None)


def record_failed() -> None:
    """Record and report work that failed after its request, in all schedules including ended ones."""
    for row, period, work in queries.failed():
        _record(row, period, work.step, work.target_id)


def _record(row: ReportSchedule, period: ReportPeriod, cause: str, report: UUID | None) -> None:
    job = f"tell of a failed report of {row.id}"
    if not once_per(job, current.actor().tenant_slug, str(report or period.first)):
        return
    entry = record(
        FAILED, row, kind=row.kind, period=period.title, cause=cause, report=report and str(report)
    )
    what = Happening(
        "report_failure",
        entry.id,
        f"couldn't generate the report for {period.title}:",
        queries.title(row),
        f"reports/{report}" if report else "reports/schedules/",
    )
    notify(_responsible(row), what)


def _responsible(row: ReportSchedule) -> set[UUID]:
    """Return the schedule's creator, or the admins if the creator may no longer manage schedules."""
    everyone = members()
    may = {each.person_id for each in everyone if each.role in permissions.MANAGE.roles}
    if row.created_by in may:
        return {row.created_by}
    return {each.person_id for each in everyone if each.role == "admin"}
