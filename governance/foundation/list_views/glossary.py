"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Saved view",
        "Filters, sorting and columns of a list that you saved under a name.",
        "list_view list_views audit.view",
    ),
)
