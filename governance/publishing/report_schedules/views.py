"""The page of scheduled reports."""

from uuid import UUID

from flask import flash, redirect, url_for

from governance.foundation.people import queries as people
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.report_schedules import actions, permissions, queries
from governance.publishing.report_schedules.forms import ScheduleForm
from governance.publishing.report_schedules.models import CADENCES, ReportSchedule

feature = Feature("report_schedules", __name__)


@feature.get("/reports/schedules/", needs=permissions.MANAGE)
def index() -> ResponseReturnValue:
    return _index(ScheduleForm())


def _index(form: ScheduleForm, *, status: int = 200) -> ResponseReturnValue:
    shown = queries.active()
    names = people.names(person for each in shown for person in each.row.people)
    return page(
        "publishing/report_schedules/index.html",
        status=status,
        form=form,
        schedules=shown,
        titles={each.row.id: queries.title(each.row) for each in shown},
        recipients={
            each.row.id: sorted(names[person] for person in each.row.people if person in names)
            for each in shown
        },
        CADENCES=CADENCES,
    )


@feature.post("/reports/schedules/", needs=permissions.MANAGE)
def create() -> ResponseReturnValue:
    form = ScheduleForm()
    made: list[ReportSchedule] = []
    if not accepted(
        form,
        lambda: made.append(
            actions.schedule_report(
                kind=form.kind.data or "",
                cadence=form.cadence.data or "",
                recipients=form.recipients.data or (),
                categories=form.categories.data or (),
                framework=form.framework.data or "",
            )
        ),
    ):
        return _index(form, status=form.status)
    flash(f"{queries.title(made[0])} is scheduled.")
    return redirect(url_for("report_schedules.index"), 303)


@feature.post("/reports/schedules/<uuid:report_schedule_id>/end", needs=permissions.MANAGE)
def end(report_schedule_id: UUID) -> ResponseReturnValue:
    row = queries.schedule(report_schedule_id)
    actions.end_schedule(row)
    flash(f"The schedule of {queries.title(row)} has ended. Its reports are kept.")
    return redirect(url_for("report_schedules.index"), 303)
