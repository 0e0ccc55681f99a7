"""The change log for customers: drafted from the record, edited and approved by people.

It has a public page and an Atom feed.
"""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, EveryMinute, Manifest, SectionTab
from governance.publishing.change_log import (
    actions,
    change_approval,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    permissions,
    public_views,
    views,
)

manifest = Manifest(
    name="change_log",
    models=(models,),
    routes=(views.feature, public_views.public),
    under=("systems.index",),
    tabs=(
        SectionTab(
            section="ai_systems",
            label="Change log",
            endpoint="change_log.index",
            permission=permissions.VIEW,
            order=60,
        ),
    ),
    schedule=(EveryMinute("draft the change log", jobs.draft, second=45),),
    inbox=inbox.SOURCES,
    extensions=(GLOSSARY(*glossary.TERMS), APPROVAL_KINDS(change_approval.CUSTOMER_CHANGE)),
    palette=(
        Command("View the change log", "change_log.index", permissions.VIEW, also="release notes"),
        Command("Tell customers about a change", "change_log.new", permissions.WRITE),
        Command("Change the public change log", "change_log.settings", permissions.OPEN),
    ),
    search=(palette.changes,),
    audit=actions_in(actions),
    links={
        "CustomerChange": EntryLink(
            endpoint="change_log.change", argument="customer_change_id", noun="change for customers"
        ),
        "ChangeLog": EntryLink(endpoint="change_log.index", noun="change log", single=True),
    },
)
