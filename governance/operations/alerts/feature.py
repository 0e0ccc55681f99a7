"""Burn-rate alerts on objectives."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, EveryMinute, Hourly, Manifest, Subscription
from governance.operations.alerts import (
    actions,
    deliveries,
    events,
    jobs,
    models,
    permissions,
    tightening,
)

_ = permissions  # until the pages come

manifest = Manifest(
    name="alerts",
    models=(models,),
    schedule=(
        EveryMinute("evaluate alerts", jobs.evaluate, second=20),
        Hourly("check error budgets", jobs.check_budgets, minute=7),
    ),
    audit=actions_in(actions, tightening),
    links={
        "Alert": EntryLink(no_page="its page is being built"),
        "BudgetExhaustion": EntryLink(no_page="its page is being built"),
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
)
