"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Drill",
        "A planned stop that proves that a kill switch works and how fast systems obey it.",
    ),
    Term(
        "Kill switch",
        "A control that stops a feature, an AI system or everything at once; starting again needs a"
        " second person.",
        "switch switches",
    ),
)
