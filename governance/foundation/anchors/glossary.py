"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Checkpoint",
        "A signed summary of the audit log at one moment, which fixes the number and the content of"
        " its entries.",
    ),
    Term(
        "External witness",
        "A service outside Meridian that countersigns or stores checkpoints, so that not even the"
        " operator can rewrite the audit log unnoticed.",
        "anchor anchors",
    ),
)
