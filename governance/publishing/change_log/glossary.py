"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Change log",
        "What customers are told about changes to AI systems: drafted by the record, edited by a"
        " person, approved by another, on a public page with a feed.",
        "change_log",
    ),
)
