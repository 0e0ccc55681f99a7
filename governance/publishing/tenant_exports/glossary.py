"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Tenant export",
        "A signed archive of everything that a tenant has in Meridian: rows, files and the log.",
        "tenant_exports tenant_export",
    ),
)
