"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Overview",
        "The first page: coverage, what changed and what needs attention.",
    ),
)
