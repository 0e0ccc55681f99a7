"""Maintenance windows and other exclusions, and the calendar feed."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, SectionTab, Subscription
from governance.operations.maintenance import (
    actions,
    events,
    exclusion_approval,
    feed_actions,
    feed_views,
    glossary,
    models,
    palette,
    permissions,
    queries,
    views,
    webhook_notices,
)

manifest = Manifest(
    name="maintenance",
    models=(models,),
    routes=(views.feature, feed_views.feature),
    under=("objectives.index",),
    tabs=(
        SectionTab(
            section="reliability",
            label="Maintenance",
            endpoint="maintenance.index",
            permission=permissions.VIEW,
            order=60,
            note=queries.count_of_coming,
            counts_everything=True,
        ),
    ),
    palette=(
        Command("View maintenance", "maintenance.index", permissions.VIEW),
        Command("Announce maintenance…", "maintenance.new", permissions.EDIT),
    ),
    search=(palette.exclusions,),
    audit=actions_in(actions, feed_actions),
    links={
        "Exclusion": EntryLink(endpoint="maintenance.exclusion", argument="exclusion_id"),
        "MaintenanceFeed": EntryLink(
            endpoint="maintenance.index", noun="maintenance calendar", single=True
        ),
    },
    publishes=(events.ExclusionChanged,),
    subscribes=(Subscription(events.ExclusionChanged, webhook_notices.send),),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        APPROVAL_KINDS(exclusion_approval.LATE, exclusion_approval.WITHDRAWAL),
    ),
)
