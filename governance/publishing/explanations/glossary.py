"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Explanation",
        "A public page about an AI system for the people who use it: what it can do, its limits, the"
        " rules that apply, and its last evaluation and stop drill.",
        "explanation explanations",
    ),
)
