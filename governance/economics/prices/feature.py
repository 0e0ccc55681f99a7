"""The price book, and the cost of usage at its prices."""

from governance.economics.imports.kinds import register
from governance.economics.prices import (
    actions,
    glossary,
    jobs,
    models,
    permissions,
    restatement_actions,
    retirement_jobs,
    views,
)
from governance.economics.prices.price_imports import LITELLM
from governance.economics.prices.restatement_approval import RESTATEMENT
from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Daily, EntryLink, EveryMinute, Manifest, NavItem

register(LITELLM)

manifest = Manifest(
    name="prices",
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Prices",
            icon="tag",
            endpoint="operator_prices.index",
            permission=permissions.VIEW,
            order=72,
            group="economics",
            audience="operator",
        ),
    ),
    schedule=(
        EveryMinute("collect usage costs", jobs.collect_usage_costs, second=35),
        Daily("enter model retirements", retirement_jobs.enter_model_retirements, at="04:43"),
    ),
    extensions=(GLOSSARY(*glossary.TERMS), APPROVAL_KINDS(RESTATEMENT)),
    audit=actions_in(actions, restatement_actions),
    links={
        "Price": EntryLink(endpoint="operator_prices.price", argument="price_id"),
        "PriceRestatement": EntryLink(no_page="shown on the page of its approval"),
    },
)
