"""Indicators and their minute counts: pushed, pulled, rolled up, rebuilt."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, Manifest, Subscription
from governance.operations.measurements import actions, api, events, jobs, metrics, models, openapi

manifest = Manifest(
    name="measurements",
    models=(models,),
    routes=(api.feature,),
    api=openapi.DESCRIPTION,
    schedule=(
        Daily("create months of minutes", jobs.create_partitions, at="01:13"),
        Daily("drop old minutes", jobs.drop_old_minutes, at="02:23"),
        Daily("prune indicator batches", jobs.prune_batches, at="02:29"),
    ),
    audit=actions_in(actions),
    links={"Indicator": EntryLink(no_page="its page is being built")},
    publishes=(events.MinutesStored,),
    subscribes=(Subscription(events.MinutesStored, metrics.note),),
)
