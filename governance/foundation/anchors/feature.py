"""External witnesses: places outside Meridian that keep checkpoints of the log."""

from governance.foundation.anchors import (
    actions,
    glossary,
    jobs,
    models,
    permissions,
    queries,
    views,
)
from governance.foundation.audit import ports
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, EveryMinute, Manifest, PortAnswer

manifest = Manifest(
    name="anchors",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    under=("logbook.index",),
    schedule=(EveryMinute("push checkpoints", jobs.push_all, second=20),),
    work=(jobs.send_checkpoints,),
    palette=(
        Command("View external witnesses", "anchors.index", permissions.VIEW, also="anchors"),
        Command("Add an external witness", "anchors.adding", permissions.MANAGE, also="anchor"),
    ),
    audit=actions_in(actions),
    answers=(PortAnswer(ports.cosignatures, queries.cosignatures),),
    links={"Anchor": EntryLink(endpoint="anchors.index", noun="external witness")},
)
