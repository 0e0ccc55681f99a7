"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Model card",
        "What a customer says in public about an AI system: what it does and doesn't do, how well it"
        " works and by which runs, and how it is known to fail.",
        "model_cards model_card failure_text",
    ),
)
