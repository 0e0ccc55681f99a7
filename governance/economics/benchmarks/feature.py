"""Benchmarks: how a tenant's usage compares with all tenants, without naming any."""

from governance.economics.benchmarks import actions, jobs, models, queries
from governance.economics.usage.ports import usage_benchmarks
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, Manifest, PortAnswer

manifest = Manifest(
    name="benchmarks",
    models=(models,),
    schedule=(Daily("release benchmarks", jobs.release_benchmarks, at="04:10"),),
    audit=actions_in(actions),
    links={"Benchmark": EntryLink(no_page="tenants see it beside their usage")},
    answers=(PortAnswer(usage_benchmarks, queries.benchmarks_of),),
)
