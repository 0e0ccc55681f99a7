"""The glossary terms of costs."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Cost pool",
        "What a charge pays for: models, infrastructure, idle capacity, guardrails, support or"
        " other.",
        "cost_pool_rule",
    ),
    Term(
        "Effective cost",
        "What a provider's charge costs the month that used it, so that a prepaid commitment, billed"
        " when it is bought, costs as it is drawn down.",
        "cost_line cost_bill costs",
    ),
    Term(
        "Residual",
        "What providers invoice for models beyond the cost computed from usage and prices, split"
        " into causes.",
        "invoice_model_name",
    ),
)
