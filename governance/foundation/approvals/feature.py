"""Approvals: what one person requests and others decide."""

from governance.foundation.approvals import (
    actions,
    approval_records,
    discussion,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    reminder_actions,
    views,
)
from governance.foundation.approvals.events import RequestClosed
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Daily, EntryLink, Manifest

manifest = Manifest(
    name="approvals",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings", "people.members"),
    schedule=(Daily("expire approvals", jobs.expire, at="02:27"),),
    search=(palette.approvals,),
    inbox=inbox.SOURCES,
    audit=actions_in(actions, approval_records, reminder_actions, discussion),
    publishes=(RequestClosed,),
    links={"Approval": EntryLink(endpoint="approvals.approval", argument="approval_id")},
)
