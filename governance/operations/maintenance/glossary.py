"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Exclusion",
        "A span of time, such as announced maintenance, whose minutes attainment leaves out while"
        " their counts are kept.",
        "exclusion exclusions",
    ),
    Term(
        "Maintenance window",
        "A planned span of work on a system, announced in advance, once or recurring.",
        "maintenance maintenance_feed",
    ),
)
