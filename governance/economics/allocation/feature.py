"""Allocation: versioned rules that divide infrastructure, guardrails and support among tenants."""

from governance.economics.allocation import (
    actions,
    glossary,
    models,
    permissions,
    rules_approval,
    views,
)
from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
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
    extensions=(GLOSSARY(*glossary.TERMS), APPROVAL_KINDS(rules_approval.RULES)),
    palette=(Command("Change allocation rules", "operator_allocation.new", permissions.CHANGE),),
    audit=actions_in(actions),
    links={
        "AllocationRules": EntryLink(
            endpoint="operator_allocation.version", argument="rules_id", noun="allocation rules"
        ),
    },
)
