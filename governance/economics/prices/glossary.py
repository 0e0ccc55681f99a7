"""The glossary terms of prices."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Price",
        "What a provider charges for a million tokens of a model from a day on; a later price"
        " supersedes it, and usage keeps the price that it used.",
        "price prices price_restatement list_prices tenant_costs",
    ),
)
