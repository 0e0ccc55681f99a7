"""Budgets of AI cost: spend, forecast and thresholds."""

from governance.economics.budgets import (
    actions,
    alert_actions,
    glossary,
    inbox,
    jobs,
    models,
    permissions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Hourly, Manifest, NavItem

manifest = Manifest(
    name="budgets",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.operator_feature, views.feature),
    navigation=(
        NavItem(
            label="Budgets",
            icon="target",
            endpoint="operator_budgets.index",
            permission=permissions.VIEW,
            order=66,
            group="economics",
            audience="operator",
        ),
    ),
    under=("usage.index",),
    schedule=(Hourly("check cost budgets", jobs.check_budgets, minute=23),),
    inbox=(inbox.ALERTS, inbox.NOTICES),
    palette=(
        Command("View budgets", "operator_budgets.index", permissions.VIEW),
        Command("New budget", "operator_budgets.new", permissions.EDIT),
    ),
    audit=actions_in(actions, alert_actions),
    links={
        "CostBudget": EntryLink(
            endpoint="operator_budgets.budget", argument="budget_id", noun="budget"
        ),
        "CostBudgetNotice": EntryLink(
            endpoint="budgets.notice", argument="notice_id", noun="budget notice"
        ),
    },
)
