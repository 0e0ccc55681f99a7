"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Profile",
        "What a person chose for themselves in a tenant: how numbers, dates and times are written,"
        " the theme, and how they are notified.",
        "profile",
    ),
)
