"""Revenue: accounts, subscriptions and MRR, invoices, acquisition, support."""

from governance.economics.imports.kinds import register
from governance.economics.revenue import (
    account_actions,
    glossary,
    import_kinds,
    models,
    permissions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, NavItem

register(*import_kinds.KINDS)
manifest = Manifest(
    name="revenue",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.operator_feature,),
    navigation=(
        NavItem(
            label="Revenue",
            icon="cash",
            endpoint="operator_revenue.index",
            permission=permissions.VIEW,
            order=64,
            group="economics",
            audience="operator",
        ),
    ),
    palette=(Command("View revenue", "operator_revenue.index", permissions.VIEW),),
    audit=actions_in(account_actions),
    links={
        "Account": EntryLink(
            endpoint="operator_revenue.account_by_id", argument="account_id", noun="account"
        ),
        "AccountSegment": EntryLink(
            endpoint="operator_revenue.index", noun="the list of segments", single=True
        ),
    },
)
