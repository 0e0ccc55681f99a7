"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Agreement",
        "What one party promises another in versions that both sides accept: commitments, "
        "credits, support times and exclusions.",
        "agreement agreements",
    ),
    Term(
        "Commitment",
        "One promise of an agreement: an objective or indicator, a target, credit bands, "
        "and the part of the fee at stake.",
    ),
    Term(
        "Credit band",
        "A range of attainment and the share of the fee part that is credited when the "
        "month ends in it.",
    ),
    Term(
        "Credit cap",
        "The most that a month credits, as a share of its fee.",
    ),
    Term(
        "Rehearsal",
        "A replay of an agreement version over the last 13 months, which shows the credits "
        "it would have cost before anyone signs.",
    ),
    Term(
        "Support clock",
        "Time that counts toward a response or resolution: business hours without holidays,"
        " or around the clock, without agreed pauses.",
    ),
)
