"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Audit request",
        "Something an auditor asks you to provide during an engagement, with a due date and an"
        " assignee.",
        "request",
    ),
    Term(
        "Auditor",
        "An external reader with access to the scope of an engagement, and only while it is open.",
    ),
    Term(
        "Engagement",
        "An audit of an agreed scope and period, with named auditors, their requests and the days"
        " when they have access.",
        "engagement engagements",
    ),
    Term(
        "Evidence package",
        "A signed archive of an engagement's evidence, which auditors can verify offline.",
        "package",
    ),
    Term(
        "Fieldwork window",
        "The days of an engagement when its auditors have access.",
    ),
)
