"""Glossary terms of evaluation findings."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Evaluation finding",
        "A measure of an evaluation that misses the limit of the policy tier; until a person closes"
        " it, the controls that rest on the measure fail.",
        "evaluation_findings",
    ),
)
