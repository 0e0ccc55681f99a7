"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Decision",
        "The decision API's answer to an AI system that asks whether a feature may run, and within"
        " which limits.",
        "decisions",
    ),
    Term(
        "Policy bundle key",
        "The key that signs the flags and policies that AI systems download, so that they can"
        " detect forgeries.",
        "policy_bundle",
    ),
)
