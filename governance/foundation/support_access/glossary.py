"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Support access",
        "An operator's access to a tenant for some hours, which an admin of the tenant approved, can"
        " end, and finds in the tenant's audit log.",
        "support support_access",
    ),
)
