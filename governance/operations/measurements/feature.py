"""Indicators and their minute counts: pushed, pulled, rolled up, rebuilt."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest, SectionTab, Subscription
from governance.operations.measurements import (
    actions,
    api,
    events,
    jobs,
    metrics,
    models,
    openapi,
    palette,
    permissions,
    views,
)

manifest = Manifest(
    name="measurements",
    models=(models,),
    routes=(views.feature, api.feature),
    api=openapi.DESCRIPTION,
    schedule=(
        Daily("create months of minutes", jobs.create_partitions, at="01:13"),
        Daily("drop old minutes", jobs.drop_old_minutes, at="02:23"),
        Daily("prune indicator batches", jobs.prune_batches, at="02:29"),
    ),
    audit=actions_in(actions),
    links={"Indicator": EntryLink(endpoint="indicators.indicator", argument="indicator_id")},
    palette=(Command("Define indicator", "indicators.define", permissions.MANAGE),),
    search=(palette.indicators,),
    tabs=(
        SectionTab(
            section="reliability",
            label="Indicators",
            endpoint="indicators.index",
            permission=permissions.VIEW,
            order=70,
        ),
    ),
    publishes=(events.MinutesStored,),
    subscribes=(Subscription(events.MinutesStored, metrics.note),),
)
