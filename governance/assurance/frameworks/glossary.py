"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Crosswalk",
        "A table that shows which requirements of two frameworks the same controls satisfy.",
    ),
    Term(
        "Framework",
        "A published set of requirements, such as SOC 2 or the NIST AI RMF, that you measure"
        " yourself against.",
        "framework frameworks",
    ),
    Term("Requirement", "One numbered statement of a framework, for example CC6.1 or MEASURE 2.7."),
)
