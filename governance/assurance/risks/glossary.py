"""Glossary terms of risks."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Risk",
        "Something that an AI system can do wrong, scored by likelihood times impact before controls"
        " (inherent) and after them (residual).",
        "risk risks",
    ),
    Term(
        "Risk acceptance",
        "A second person's consent to live with a risk at its present score until a day; it is stale"
        " once the score has changed.",
    ),
    Term(
        "Risk appetite",
        "The highest residual score that nobody has to accept.",
    ),
)
