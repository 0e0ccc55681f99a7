"""Scheduled reports, generated after each month or quarter for the people chosen."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import (
    Command,
    EntryLink,
    Hourly,
    Manifest,
    SectionTab,
    Subscription,
)
from governance.publishing.report_schedules import (
    actions,
    failure_actions,
    jobs,
    models,
    permissions,
    views,
)
from governance.publishing.reports.events import ReportGenerated

manifest = Manifest(
    name="report_schedules",
    models=(models,),
    routes=(views.feature,),
    under=("reports.index",),
    tabs=(
        SectionTab(
            section="reports",
            label="Schedules",
            endpoint="report_schedules.index",
            permission=permissions.MANAGE,
            order=20,
        ),
    ),
    schedule=(Hourly("generate scheduled reports", jobs.generate, minute=17),),
    palette=(
        Command(
            "Schedule reports",
            "report_schedules.index",
            permissions.MANAGE,
            also="monthly quarterly recipients",
        ),
    ),
    audit=actions_in(actions, failure_actions),
    links={
        "ReportSchedule": EntryLink(
            no_page="it is listed with the other schedules", noun="schedule of a report"
        ),
    },
    subscribes=(Subscription(ReportGenerated, actions.tell_recipients),),
)
