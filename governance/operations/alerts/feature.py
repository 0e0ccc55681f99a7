"""Burn-rate alerts on objectives."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import (
    Command,
    EntryLink,
    EveryMinute,
    Hourly,
    Manifest,
    PortAnswer,
    Subscription,
)
from governance.operations.alerts import (
    actions,
    backtest_views,
    deliveries,
    events,
    glossary,
    inbox,
    jobs,
    models,
    palette,
    panels,
    permissions,
    response_views,
    system_parts,
    tightening,
    views,
)
from governance.operations.objectives import ports
from governance.operations.systems.parts import SYSTEM_PARTS

manifest = Manifest(
    name="alerts",
    models=(models,),
    routes=(views.feature, backtest_views.feature, response_views.feature),
    under=("objectives.index",),
    schedule=(
        EveryMinute("evaluate alerts", jobs.evaluate, second=20),
        Hourly("check error budgets", jobs.check_budgets, minute=7),
    ),
    extensions=(GLOSSARY(*glossary.TERMS), SYSTEM_PARTS(system_parts.ALERTS)),
    inbox=(inbox.FIRING,),
    palette=(Command("View alerts", "alerts.index", permissions.VIEW),),
    search=(palette.ALERTS,),
    audit=actions_in(actions, tightening),
    links={
        "Alert": EntryLink(endpoint="alerts.alert", argument="alert_id"),
        "BudgetExhaustion": EntryLink(no_page="it is shown on the objective that it is of"),
    },
    publishes=(
        events.AlertFired,
        events.AlertAcknowledged,
        events.AlertResolved,
        events.BudgetExhausted,
    ),
    subscribes=(
        Subscription(events.AlertFired, deliveries.on_fired, order=10),
        Subscription(events.AlertAcknowledged, deliveries.on_acknowledged, order=10),
        Subscription(events.AlertResolved, deliveries.on_resolved, order=10),
        Subscription(events.BudgetExhausted, tightening.on_exhausted, order=10),
    ),
    answers=(
        PortAnswer(ports.alert_states, panels.states),
        PortAnswer(ports.alert_panel, panels.alert_panel),
        PortAnswer(ports.rule_panel, panels.rule_panel),
        PortAnswer(ports.backtest_panel, panels.backtest_panel),
        PortAnswer(ports.firing_count, panels.firing_count),
    ),
)
