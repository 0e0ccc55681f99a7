"""Statements: closed months with their arithmetic, revisions, disputes and claims."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, Hourly, Manifest, PortAnswer, Subscription
from governance.operations.agreements.ports import last_closed_month
from governance.operations.measurements.events import MinutesStored
from governance.publishing.statements import actions, jobs, late_changes, models, queries

manifest = Manifest(
    name="statements",
    models=(models,),
    schedule=(
        Hourly("close months", jobs.close_due_months, minute=7),
        Daily("tidy statement files", jobs.remove_unreferenced_files, at="03:31"),
    ),
    work=(jobs.close_month,),
    audit=actions_in(actions),
    links={
        "Statement": EntryLink(no_page="its page is being built"),
        "StatementRevision": EntryLink(no_page="listed on the page of its statement"),
    },
    subscribes=(Subscription(MinutesStored, late_changes.on_minutes_stored),),
    answers=(PortAnswer(last_closed_month, queries.last_closed_month),),
)
