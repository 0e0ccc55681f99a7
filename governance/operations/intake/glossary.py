"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Intake",
        "Where product teams propose AI systems: triage derives the classes from their answers, and"
        " another person decides whether a proposal joins the register.",
        "intake system.proposal",
    ),
)
