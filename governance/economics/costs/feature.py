"""Costs billed by providers and clouds: FOCUS files, manual lines, pools, model names."""

from governance.economics.costs import (
    actions,
    focus_import,  # noqa: F401 - registers the kind of file
    glossary,
    models,
    permissions,
    placing_actions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem

manifest = Manifest(
    name="costs",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Costs",
            icon="file-invoice",
            endpoint="operator_costs.index",
            permission=permissions.VIEW,
            order=70,
            group="economics",
            audience="operator",
        ),
    ),
    palette=(
        Command("View costs", "operator_costs.index", permissions.VIEW),
        Command("Place charges in pools", "operator_costs.placing", permissions.EDIT),
    ),
    audit=actions_in(actions, placing_actions),
    links={
        "CostBill": EntryLink(endpoint="operator_costs.index", noun="bill"),
        "CostLine": EntryLink(endpoint="operator_costs.index", noun="cost"),
        "CostPoolRule": EntryLink(endpoint="operator_costs.placing", noun="pool rule"),
        "InvoiceModelName": EntryLink(endpoint="operator_costs.placing", noun="name on invoices"),
    },
)
