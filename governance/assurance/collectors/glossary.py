"""Glossary terms of collectors."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Collector",
        "A scheduled job that collects evidence automatically, so that no one has to take"
        " screenshots.",
        "collector collectors",
    ),
)
