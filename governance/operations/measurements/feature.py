"""Indicators and their minute counts: pushed, pulled, rolled up, rebuilt."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest, Subscription
from governance.operations.measurements import actions, api, events, metrics, models, openapi

manifest = Manifest(
    name="measurements",
    models=(models,),
    routes=(api.feature,),
    api=openapi.DESCRIPTION,
    audit=actions_in(actions),
    links={"Indicator": EntryLink(no_page="its page is being built")},
    publishes=(events.MinutesStored,),
    subscribes=(Subscription(events.MinutesStored, metrics.note),),
)
