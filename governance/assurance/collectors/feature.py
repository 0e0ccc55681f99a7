"""Collectors: evidence that Meridian collects automatically."""

from governance.assurance.collectors import (
    actions,
    backups,
    glossary,
    jobs,
    models,
    permissions,
    tenant_isolation,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.foundation.populations.collector import COLLECTORS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Hourly, Manifest

manifest = Manifest(
    name="collectors",
    models=(models,),
    routes=(views.feature,),
    under=("evidence.index",),
    schedule=(Hourly("collect evidence", jobs.collect_due, minute=23),),
    work=(jobs.collect,),
    palette=(Command("View collectors", "collectors.index", permissions.VIEW),),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        COLLECTORS(backups.Backups(), tenant_isolation.Isolation()),
    ),
    audit=actions_in(actions),
    links={"CollectorRun": EntryLink(endpoint="collectors.index")},
)
