"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Rollback plan",
        "What happens when a release is taken back, who owns that, and what a failed guardrail does"
        " by itself; required before the first stage.",
    ),
    Term(
        "Rollout",
        "How a release of an AI system reaches people: from shadow, where nobody gets it, in growing"
        " shares to everyone.",
        "rollout rollouts",
    ),
    Term(
        "Rollout gate",
        "A figure that a rollout rests on: a guardrail that fails halts it, a signal pauses it, a"
        " condition keeps it from advancing.",
    ),
)
