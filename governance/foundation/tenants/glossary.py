"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Tenant",
        "One organization's separate space in Meridian; no tenant can see another's data.",
        "tenant tenants",
    ),
)
