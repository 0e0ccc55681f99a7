"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Technical file",
        "A document with the points of Annex IV of the EU AI Act about one AI system: each sentence is"
        " bound to a record, and open points keep it from being completed.",
        "system_document system_documents",
    ),
)
