"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Offboarding",
        "The deletion of a suspended tenant: two operators approve it, and after a waiting period its"
        " keys, files and rows are deleted, with a signed certificate as proof.",
        "tenant_offboarding",
    ),
)
