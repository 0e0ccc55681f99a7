"""Glossary terms of reviews."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Unit-economics review",
        "A month's revenue, cost and margin by tenant, AI system and tier, frozen when the month"
        " closes and signed off by finance and product.",
        "reviews review",
    ),
)
