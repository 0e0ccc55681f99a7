"""Actions on report schedules.

schedule_report(…)       schedule a report every month or quarter, for these people
end_schedule(row)        stop future reports; those that were generated stay
generate_due(id)         request one report for each period that has ended
tell_recipients(event)   notify people that a scheduled report is ready
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.notifications.actions import Happening, notify
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import require
from governance.publishing.report_schedules import permissions, queries
from governance.publishing.report_schedules.models import (
    CADENCES,
    ReportSchedule,
    ScheduledReport,
)
from governance.publishing.report_schedules.periods import ReportPeriod
from governance.publishing.reports import actions as reports
from governance.publishing.reports.events import ReportGenerated
from governance.publishing.reports.kinds import KINDS
from governance.publishing.reports.models import AI_RMF, POLICY, READINESS, TYPE_II, ReportRun
from governance.publishing.reports.readiness.snapshot import CATEGORIES

CREATED = action(
    "report_schedule.created",
    "scheduled a report",
    target="ReportSchedule",
    activity="create",
    severity="low",
    fields="kind cadence parameters recipients",
)
ENDED = action(
    "report_schedule.ended",
    "ended the schedule of a report",
    target="ReportSchedule",
    activity="delete",
    severity="low",
    fields="kind cadence",
)
MAX_SCHEDULES = 20  # Per tenant.
MAX_RECIPIENTS = 50


def schedule_report(
    *,
    kind: str,
    cadence: str,
    recipients: Collection[UUID],
    categories: Collection[str] = (),
    framework: str = "",
) -> ReportSchedule:
    """Schedule a report, starting with the present month or quarter. Idempotent.

    `categories` apply to SOC 2 readiness only, and `framework` (empty: all controls) to the Type II
    matrix only. Raises Invalid.
    """
    require(permissions.MANAGE)
    if kind not in KINDS:
        raise Invalid("Choose a report.", field="kind")
    if cadence not in CADENCES:
        raise Invalid("Choose how often.", field="cadence")
    chosen = set(recipients)
    if not chosen or not chosen <= {each for each, _name in queries.recipient_choices()}:
        raise Invalid("Choose members who can read reports.", field="recipients")
    if len(chosen) > MAX_RECIPIENTS:
        raise Invalid(f"Choose at most {MAX_RECIPIENTS} people.", field="recipients")
    parameters = _parameters(kind, categories, framework)
    lock_tenant("report schedules")
    if (there := queries.same(kind, cadence, parameters)) is not None:
        if there.people != chosen:
            raise Invalid(
                "This report is scheduled already. End that schedule to change who receives it.",
                field="kind",
            )
        return there
    if len(queries.active_ids()) >= MAX_SCHEDULES:
        raise DomainError(f"A tenant has at most {MAX_SCHEDULES} schedules. End one first.")
    row = ReportSchedule(
        kind=kind,
        cadence=cadence,
        parameters=parameters,
        recipients=sorted(map(str, chosen)),
        starts_on=clock.today(),
        created_by=current.actor().person_id,
        ended_at=None,
    )
    session().add(row)
    session().flush()
    record(
        CREATED,
        row,
        kind=kind,
        cadence=cadence,
        parameters=parameters,
        recipients=len(chosen),
    )
    return row


def _parameters(kind: str, categories: Collection[str], framework: str) -> dict[str, Any]:
    if kind == READINESS:
        chosen = [key for key in CATEGORIES if key in categories]
        if not chosen:
            raise Invalid("Choose at least one category.", field="categories")
        return {"categories": chosen}
    return {"framework": framework} if kind == TYPE_II and framework else {}


def end_schedule(row: ReportSchedule) -> None:
    """End a schedule. A report that is being generated is still delivered. Idempotent."""
    require(permissions.MANAGE)
    session().refresh(row, with_for_update=True)
    if row.ended_at is None:
        row.ended_at = clock.now()
        record(ENDED, row, kind=row.kind, cadence=row.cadence)


def generate_due(schedule_id: UUID) -> int:
    """Request the report of each period that has ended since the last one. Return how many.

    A period whose report was requested is never requested again. If a person requested the same
    report, which they may cancel, this waits until it is done. Raises DomainError if a report can't
    be requested, such as an AI RMF report without an assessment.
    """
    row = queries.schedule(schedule_id, lock=True)
    if row.ended_at is not None:
        return 0
    count = 0
    for period in queries.due_periods(row):
        run = _requested(row, period)
        if run.requested_by is not None:
            break
        session().add(
            ScheduledReport(
                schedule_id=row.id,
                report_run_id=run.id,
                first_day=period.first,
                last_day=period.last,
            )
        )
        count += 1
    session().flush()
    return count


def _requested(row: ReportSchedule, period: ReportPeriod) -> ReportRun:
    if row.kind == AI_RMF:
        assessment = queries.newest_rmf_assessment()
        if assessment is None:
            raise DomainError("This report needs an assessment of the NIST AI RMF. Start one.")
        return reports.request_ai_rmf(assessment, until=period.last)
    if row.kind == POLICY:
        return reports.request_attestation(since=period.first, until=period.last)
    if row.kind == READINESS:
        return reports.request_readiness(until=period.last, categories=row.parameters["categories"])
    return reports.request_matrix(
        since=period.first, until=period.last, framework=row.parameters.get("framework")
    )


def tell_recipients(made: ReportGenerated) -> None:
    """Notify recipients who may still receive the report, each by their chosen channel.

    The email has a link.
    """
    found = queries.of_run(made.run_id)
    members = {each for each, _name in queries.recipient_choices()} if found else set()
    for row, period in found:
        what = Happening(
            "report",
            made.run_id,
            f"generated the report for {period.title}:",
            made.title,
            f"reports/{made.run_id}",
        )
        notify(row.people & members, what)
