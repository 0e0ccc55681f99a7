"""Glossary terms of assessments."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Assessment",
        "A review of a framework over a period, in which people conclude how far each requirement"
        " is met.",
        "assessment assessments",
    ),
)
