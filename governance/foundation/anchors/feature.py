"""External witnesses: places outside Meridian that keep checkpoints of the log."""

from governance.foundation.anchors import actions, jobs, models, queries, views
from governance.foundation.audit import ports
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, EveryMinute, Manifest, PortAnswer

manifest = Manifest(
    name="anchors",
    models=(models,),
    routes=(views.feature,),
    under=("logbook.index",),
    schedule=(EveryMinute("push checkpoints", jobs.push_all, second=20),),
    work=(jobs.send_checkpoints,),
    audit=actions_in(actions),
    answers=(PortAnswer(ports.cosignatures, queries.cosignatures),),
    links={"Anchor": EntryLink(endpoint="anchors.index", noun="external witness")},
)
