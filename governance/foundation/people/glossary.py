"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Invitation",
        "An email that gives a new member or auditor access when they sign in.",
        "invitation",
    ),
    Term(
        "Member",
        "A person with a role in a tenant.",
        "membership person people",
    ),
    Term(
        "Session",
        "The time between signing in and out in one browser.",
        "session",
    ),
    Term(
        "Step-up sign-in",
        "A fresh sign-in that a sensitive action asks for when your last one is more than five"
        " minutes old.",
    ),
)
