"""The glossary terms of usage."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Usage",
        "Requests to models with their tokens, which AI products send as events and Meridian counts"
        " by day.",
        "usage",
    ),
)
