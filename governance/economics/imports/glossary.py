"""Glossary terms of imports."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Imported file",
        "A file of bills, revenue, prices or usage that the operator uploads, which is previewed and"
        " then applied as a whole or not at all.",
        "import imports",
    ),
)
