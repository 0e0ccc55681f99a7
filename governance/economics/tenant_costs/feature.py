"""A tenant's own cost page, at list prices that the operator has approved to show."""

from governance.economics.tenant_costs import (
    actions,
    gates,
    jobs,
    models,
    permissions,
    system_parts,
    system_views,  # noqa: F401 - adds the page of one AI system to the feature
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Daily, EntryLink, EveryMinute, Manifest, SectionTab
from governance.operations.gates.gates import GATES
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="tenant_costs",
    models=(models,),
    routes=(views.feature, views.operator_feature),
    under=("usage.index", "operator_prices.index"),
    tabs=(
        SectionTab(
            section="usage",
            label="Cost and adoption",
            endpoint="tenant_costs.index",
            permission=permissions.VIEW,
            order=20,
            counts_everything=True,
        ),
    ),
    extensions=(
        SYSTEM_PARTS(system_parts.COST, system_parts.CHARTS, system_parts.COST_TAB),
        GATES(gates.COST),
    ),
    schedule=(
        EveryMinute("copy present list prices", jobs.copy_present_prices, second=50),
        Daily("copy list prices", jobs.copy_prices, at="04:23"),
    ),
    work=(jobs.copy_after_decision,),
    audit=actions_in(actions),
    links={
        "ListPriceSettings": EntryLink(endpoint="operator_list_prices.sharing", single=True),
    },
)
