"""Approvals: what one person requests and others decide."""

from governance.foundation.approvals import actions, discussion, inbox, jobs, models, views
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, Manifest

manifest = Manifest(
    name="approvals",
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings", "people.members"),
    schedule=(Daily("expire approvals", jobs.expire, at="02:27"),),
    inbox=inbox.SOURCES,
    audit=actions_in(actions, discussion),
    links={"Approval": EntryLink(endpoint="approvals.approval", argument="approval_id")},
)
