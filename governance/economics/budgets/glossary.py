"""Glossary terms of budgets."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Budget",
        "An amount for what AI costs in a month or in 30 days, with a forecast and alerts, which"
        " never blocks a request.",
        "cost_budget cost_budgets budgets",
    ),
)
