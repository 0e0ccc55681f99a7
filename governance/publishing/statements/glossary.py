"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Claim",
        "What the operator asks of a vendor for the minutes of one tenant's month, prepared by one"
        " person, approved by another and sent by name before the vendor's deadline.",
        "claim",
    ),
    Term(
        "Credit",
        "The part of a month's fee that is owed for a missed commitment, chosen by its credit band"
        " and limited by the agreement's cap.",
        "credit",
    ),
    Term(
        "Dispute",
        "A tenant's objection to minutes or to an exclusion of a statement, answered by the operator"
        " on the record; an accepted one makes a revision.",
        "dispute",
    ),
    Term(
        "Statement",
        "A closed month under an agreement: what was promised, what was attained, and the credit,"
        " with the minute counts to recompute it.",
        "statement statements",
    ),
)
