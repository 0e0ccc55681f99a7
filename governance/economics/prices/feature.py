"""The price book, and what usage cost by it."""

from governance.economics.prices import actions, jobs, models
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, EveryMinute, Manifest

manifest = Manifest(
    name="prices",
    models=(models,),
    schedule=(EveryMinute("collect usage costs", jobs.collect_usage_costs, second=35),),
    audit=actions_in(actions),
    links={"Price": EntryLink(no_page="The price book shows all prices.")},
)
