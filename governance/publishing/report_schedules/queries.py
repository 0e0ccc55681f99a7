"""Read schedules of reports.

active()                     those that haven't ended, with what they have generated last
schedule(id)                 one
recipient_choices()          who can receive a report: members who may read all of them
of_run(run_id)               for which schedules this report was generated
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from governance.assurance.assessments.models import Assessment
from governance.foundation.people import queries as people
from governance.kernel import clock
from governance.kernel.db import find, session
from governance.publishing.report_schedules.models import ReportSchedule, ScheduledReport
from governance.publishing.report_schedules.periods import ReportPeriod, period_of
from governance.publishing.reports import permissions as reports
from governance.publishing.reports import queries as report_queries


@dataclass(frozen=True, slots=True)
class ShownSchedule:
    """A schedule, the period that its next report covers, and its newest report, which covers
    `covered`.
    """

    row: ReportSchedule
    next: ReportPeriod
    newest: ScheduledReport | None
    covered: ReportPeriod | None


def schedule(schedule_id: UUID, *, lock: bool = False) -> ReportSchedule:
    """Return the schedule with that id. Raises NotFound."""
    return find(ReportSchedule, schedule_id, what="schedule", lock=lock)


def active_ids() -> Sequence[UUID]:
    """The schedules that haven't ended, oldest first."""
    s = ReportSchedule
    return session().scalars(select(s.id).where(s.ended_at.is_(None)).order_by(s.id)).all()


def active() -> list[ShownSchedule]:
    """The schedules that haven't ended, oldest first, in one statement."""
    s, r = ReportSchedule, ScheduledReport
    newest = (
        select(r.schedule_id, func.max(r.first_day).label("first_day"))
        .group_by(r.schedule_id)
        .subquery()
    )
    query = (
        select(s, r)
        .outerjoin(newest, newest.c.schedule_id == s.id)
        .outerjoin(r, (r.schedule_id == s.id) & (r.first_day == newest.c.first_day))
        .where(s.ended_at.is_(None))
        .order_by(s.created_at, s.id)
    )
    return [_shown(row, newest) for row, newest in session().execute(query)]


def _shown(row: ReportSchedule, newest: ScheduledReport | None) -> ShownSchedule:
    covered = ReportPeriod(newest.first_day, newest.last_day) if newest else None
    after = covered.due_on if covered else row.starts_on
    return ShownSchedule(row, period_of(row.cadence, after), newest, covered)


def same(kind: str, cadence: str, parameters: Mapping[str, Any]) -> ReportSchedule | None:
    """The active schedule of the same report."""
    s = ReportSchedule
    query = select(s).where(
        s.kind == kind,
        s.cadence == cadence,
        s.parameters == dict(parameters),
        s.ended_at.is_(None),
    )
    return session().scalars(query.limit(1)).one_or_none()


def covered(schedule_id: UUID) -> set[date]:
    """The first days of the periods whose report was requested."""
    r = ScheduledReport
    return set(session().scalars(select(r.first_day).where(r.schedule_id == schedule_id)))


def newest_rmf_assessment() -> Assessment | None:
    """The assessment that an AI RMF report is about: the one that was started last."""
    return max(report_queries.reportable(), key=lambda each: each.created_at, default=None)


def recipient_choices() -> list[tuple[UUID, str]]:
    """Members by name. Auditors get reports through their engagement."""
    return [
        (each.person_id, each.name)
        for each in people.members()
        if each.role in reports.VIEW.roles and each.role != "auditor"
    ]


def of_run(run_id: UUID) -> list[tuple[ReportSchedule, ReportPeriod]]:
    """The schedules that this report was generated for, oldest first, each with its period."""
    s, r = ReportSchedule, ScheduledReport
    query = select(s, r).join(r, r.schedule_id == s.id).where(r.report_run_id == run_id)
    found = session().execute(query.order_by(s.id))
    return [(row, ReportPeriod(made.first_day, made.last_day)) for row, made in found]


def is_past(period: ReportPeriod) -> bool:
    return period.last < clock.today()
