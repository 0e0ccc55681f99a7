"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Burn rate",
        "How many times faster than allowed an error budget is spent, where 1 spends it in exactly"
        " the objective's window.",
    ),
    Term(
        "Error budget",
        "What an objective's target allows to fail in its window, in minutes or in events, counted"
        " exactly.",
    ),
    Term(
        "Objective",
        "A target for one indicator over a window, such as 99.5% of requests in 30 days.",
        "objective objectives",
    ),
    Term(
        "OpenSLO",
        "An open format for objectives in YAML, which Meridian imports and exports.",
        "openslo",
    ),
)
