"""Queries of report schedules.

active()                     active schedules, with their newest report or why there is none
schedule(id), title(row)     one schedule
due_periods(row)             the periods that have ended and have no report
failed()                     the reports whose work failed
recipient_choices()          possible recipients: members who may read all reports
of_run(run_id)               the schedules that this report was generated for
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.assurance.assessments.models import Assessment
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.work.jobs import WorkItem
from governance.publishing.report_schedules.models import (
    REPORT_FAILED,
    ReportSchedule,
    ScheduledReport,
)
from governance.publishing.report_schedules.periods import ReportPeriod, ended_periods, period_of
from governance.publishing.reports import permissions as reports
from governance.publishing.reports import queries as report_queries
from governance.publishing.reports.kinds import KINDS
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.readiness.snapshot import CATEGORIES

HAS_FAILED = WorkItem.state == "failed"


@dataclass(frozen=True, slots=True)
class ScheduleFailure:
    """The time of a report's failure, and its cause in a sentence."""

    at: datetime
    cause: str


@dataclass(frozen=True, slots=True)
class ShownSchedule:
    """A schedule, the period of its next report, and its newest report, which covers `covered`.

    `refused` is why the next report can't be requested, and `failed` why the newest has no file.
    """

    row: ReportSchedule
    next: ReportPeriod
    newest: ScheduledReport | None
    covered: ReportPeriod | None
    refused: ScheduleFailure | None
    failed: ScheduleFailure | None


def schedule(schedule_id: UUID, *, lock: bool = False) -> ReportSchedule:
    """Return the schedule with that id. Raises NotFound."""
    return find(ReportSchedule, schedule_id, what="schedule", lock=lock)


def active_ids() -> Sequence[UUID]:
    """Return the ids of the schedules that haven't ended, oldest first."""
    s = ReportSchedule
    return session().scalars(select(s.id).where(s.ended_at.is_(None)).order_by(s.id)).all()


def title(row: ReportSchedule) -> str:
    """Return the name of the schedule's report, with the categories or the framework."""
    name = KINDS[row.kind].name
    if chosen := row.parameters.get("categories"):
        return f"{name}: {', '.join(CATEGORIES[key][0] for key in chosen)}"
    if key := row.parameters.get("framework"):
        return f"{name}: {next((f.title for f in frameworks.frameworks() if f.key == key), key)}"
    return name


def active() -> list[ShownSchedule]:
    """List the schedules that haven't ended, oldest first.

    Takes one statement, and another one if a report is late.
    """
    s, r = ReportSchedule, ScheduledReport
    newest = (
        select(r.schedule_id, func.max(r.first_day).label("first_day"))
        .group_by(r.schedule_id)
        .subquery()
    )
    query = (
        select(s, r, WorkItem)
        .outerjoin(newest, newest.c.schedule_id == s.id)
        .outerjoin(r, (r.schedule_id == s.id) & (r.first_day == newest.c.first_day))
        .outerjoin(ReportRun, ReportRun.id == r.report_run_id)
        .outerjoin(WorkItem, (WorkItem.id == ReportRun.work_item_id) & HAS_FAILED)
        .where(s.ended_at.is_(None))
        .order_by(s.created_at, s.id)
    )
    found = [
        (_next(row, newest), row, newest, work) for row, newest, work in session().execute(query)
    ]
    late = {row.id: period for period, row, _, _ in found if period.last < clock.today()}
    refused = _refused(late)
    return [
        ShownSchedule(
            row,
            period,
            newest,
            _period(newest) if newest else None,
            refused.get(row.id),
            ScheduleFailure(work.finished_at or work.created_at, work.step) if work else None,
        )
        for period, row, newest, work in found
    ]


def _next(row: ReportSchedule, newest: ScheduledReport | None) -> ReportPeriod:
    return period_of(row.cadence, _period(newest).due_on if newest else row.starts_on)


def _period(made: ScheduledReport) -> ReportPeriod:
    return ReportPeriod(made.first_day, made.last_day)


def _refused(late: Mapping[UUID, ReportPeriod]) -> dict[UUID, ScheduleFailure]:
    """Return, by schedule id, why the report of the period couldn't be requested, from the log."""
    if not late:
        return {}
    e = AuditEntry
    query = (
        select(e.target_id, e.at, e.facts["cause"].astext)
        .where(e.target_id.in_(late), e.action == REPORT_FAILED, e.facts["report"].is_(None))
        .ext(distinct_on(e.target_id))
        .order_by(e.target_id, e.at.desc())
    )
    return {
        schedule_id: ScheduleFailure(at, cause)
        for schedule_id, at, cause in session().execute(query)
        if at.date() >= late[schedule_id].due_on
    }


def due_periods(row: ReportSchedule) -> list[ReportPeriod]:
    """List the periods that have ended and have no report, oldest first."""
    there = covered(row.id)
    every = ended_periods(row.cadence, row.starts_on, clock.today())
    return [each for each in every if each.first not in there]


def failed() -> list[tuple[ReportSchedule, ReportPeriod, WorkItem]]:
    """List the reports whose work failed and wasn't retried since, oldest first."""
    s, r = ReportSchedule, ScheduledReport
    query = (
        select(s, r, WorkItem)
        .join(r, r.schedule_id == s.id)
        .join(ReportRun, ReportRun.id == r.report_run_id)
        .join(WorkItem, WorkItem.id == ReportRun.work_item_id)
        .where(HAS_FAILED)
        .order_by(r.created_at, r.id)
    )
    return [(row, _period(made), work) for row, made, work in session().execute(query)]


def same(kind: str, cadence: str, parameters: Mapping[str, Any]) -> ReportSchedule | None:
    """Return the active schedule of the same report, or None."""
    s = ReportSchedule
    query = select(s).where(
        s.kind == kind,
        s.cadence == cadence,
        s.parameters == dict(parameters),
        s.ended_at.is_(None),
    )
    return session().scalars(query.limit(1)).one_or_none()


def covered(schedule_id: UUID) -> set[date]:
    """Return the first days of the periods whose report was requested."""
    r = ScheduledReport
    return set(session().scalars(select(r.first_day).where(r.schedule_id == schedule_id)))


def newest_rmf_assessment() -> Assessment | None:
    """Return the assessment that an AI RMF report is about: the one started last."""
    return max(report_queries.reportable(), key=lambda each: each.created_at, default=None)


def recipient_choices() -> list[tuple[UUID, str]]:
    """List members by name. Auditors get reports through their engagement instead."""
    return [
        (each.person_id, each.name)
        for each in people.members()
        if each.role in reports.VIEW.roles and each.role != "auditor"
    ]


def of_run(run_id: UUID) -> list[tuple[ReportSchedule, ReportPeriod]]:
    """List the schedules that this report was generated for, oldest first, each with its period."""
    s, r = ReportSchedule, ScheduledReport
    query = select(s, r).join(r, r.schedule_id == s.id).where(r.report_run_id == run_id)
    found = session().execute(query.order_by(s.id))
    return [(row, _period(made)) for row, made in found]
