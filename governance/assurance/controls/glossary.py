"""Glossary terms of controls."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Control",
        "A measure that you operate to reduce a risk or satisfy a requirement, for example"
        " reviewing access every quarter.",
        "control controls",
    ),
    Term("Mapping", "The link between a control and a requirement that it satisfies."),
)
