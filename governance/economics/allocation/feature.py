"""Allocation: versioned rules that share infrastructure, guardrails and support among tenants."""

from governance.economics.allocation import actions, models, permissions, rules_approval, views
from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem

manifest = Manifest(
    name="allocation",
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Allocation",
            icon="scale",
            endpoint="operator_allocation.index",
            permission=permissions.VIEW,
            order=76,
            group="economics",
            audience="operator",
        ),
    ),
    approvals=(rules_approval.RULES,),
    palette=(Command("Change allocation rules", "operator_allocation.new", permissions.CHANGE),),
    audit=actions_in(actions),
    links={
        "AllocationRules": EntryLink(
            endpoint="operator_allocation.version", argument="rules_id", noun="allocation rules"
        ),
    },
)
