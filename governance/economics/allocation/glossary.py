"""Glossary terms of allocation."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Allocation rule",
        "What a pool of shared cost follows when it is divided among tenants, such as active users or"
        " revenue; what it leaves over is the residue.",
        "allocation allocation_rules",
    ),
)
