"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Audit log",
        "The append-only record of every action, built so that anyone can prove that no entry was"
        " changed or removed.",
        "audit",
    ),
)
