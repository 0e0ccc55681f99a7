"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Encryption key",
        "A key that protects stored data; rotating it replaces it without losing any data.",
        "encryption_key",
    ),
    Term(
        "Erasure",
        "The removal of a person's data on request, which leaves the audit log provable.",
        "erasure",
    ),
    Term(
        "Legal hold",
        "An order to keep data, which blocks its deletion until someone releases the hold.",
        "legal_hold",
    ),
    Term(
        "Privacy",
        "The pages for personal data: erasures, unmasking, legal holds and retention.",
        "privacy",
    ),
    Term(
        "Unmasking",
        "Revealing the name behind a pseudonym, which needs a reason and a second person.",
        "unmasking",
    ),
)
