"""Exchange rates: the reporting currency, and monthly rates of other currencies in it."""

from governance.economics.imports.kinds import register
from governance.economics.rates import actions, glossary, inbox, models, permissions, views
from governance.economics.rates.rate_imports import RATES
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest, NavItem

register(RATES)

manifest = Manifest(
    name="rates",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Rates",
            icon="arrows-exchange",
            endpoint="operator_rates.index",
            permission=permissions.VIEW,
            order=74,
            group="economics",
            audience="operator",
        ),
    ),
    inbox=(inbox.AWAITED,),
    audit=actions_in(actions),
    links={
        "ExchangeRate": EntryLink(endpoint="operator_rates.index", noun="exchange rate"),
        "ReportingCurrency": EntryLink(
            endpoint="operator_rates.index", noun="the reporting currency", single=True
        ),
    },
)
