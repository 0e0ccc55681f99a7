"""The glossary terms of revenue."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Account",
        "What the operator knows of a customer as a buyer: its segment, its seats, and when it was"
        " won and lost.",
        "account",
    ),
    Term(
        "MRR",
        "Monthly recurring revenue: what subscriptions in force on the last day of a month pay for"
        " a month.",
    ),
    Term(
        "Revenue",
        "What customers were billed for a month, net of tax and credit notes, shown beside MRR.",
        "revenue",
    ),
    Term(
        "Segment",
        "A group of accounts whose cost of winning and lifetime value are compared, such as"
        " Enterprise.",
    ),
)
