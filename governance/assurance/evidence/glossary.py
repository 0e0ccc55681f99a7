"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Cadence",
        "How often something recurs, for example a control test every quarter.",
    ),
    Term(
        "Evidence item",
        "A recurring document that shows that controls work, for example a penetration test"
        " report; each upload becomes a version.",
        "evidence",
    ),
    Term(
        "Evidence version",
        "One uploaded file or link of an evidence item, which a reviewer accepts or rejects.",
    ),
    Term(
        "Freshness",
        "Whether an evidence item has an accepted version that is recent enough for its cadence.",
    ),
)
