"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Platform minimum",
        "The strictness that the operator requires of every tenant; no policy can go below it.",
        "platform_minimum platform",
    ),
    Term(
        "Policy",
        "The tenant's rules for its AI systems, such as content filters and rate limits, in"
        " published versions.",
        "policy policies",
    ),
    Term(
        "Policy tier",
        "A named set of policy values, from standard to strict, that a tenant starts from.",
    ),
    Term(
        "Waiver",
        "A time-limited permission for one AI system to go below the platform minimum, with a"
        " reason, approved by two people.",
        "waiver",
    ),
)
