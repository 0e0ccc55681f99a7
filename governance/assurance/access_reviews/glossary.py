"""Glossary terms of access reviews."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Access review",
        "A periodic check in which someone decides, person by person, who keeps access to the"
        " tenant.",
        "access_review access_reviews",
    ),
)
