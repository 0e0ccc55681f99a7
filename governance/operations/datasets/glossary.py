"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Croissant",
        "A format of MLCommons that describes a data set in JSON-LD: its source, licence and limits.",
    ),
    Term(
        "Data set",
        "Data that AI systems are trained on, retrieve from or are evaluated with, with its licence,"
        " its consent and its age.",
        "data_set data_sets",
    ),
    Term(
        "Data set version",
        "The description of a data set as it was published once; it never changes, and a change is"
        " a new version.",
    ),
)
