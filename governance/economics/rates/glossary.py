"""Glossary terms of exchange rates."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Exchange rate",
        "What one unit of a currency was worth in the reporting currency in a month; until it is"
        " entered, amounts use the last known one and are marked provisional.",
        "rate rates",
    ),
    Term(
        "Reporting currency",
        "The one currency of the operator's totals.",
        "reporting_currency",
    ),
)
