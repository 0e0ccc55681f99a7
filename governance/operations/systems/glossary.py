"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "AI system",
        "An application or model that you register in Meridian, so that you can assess it, set its"
        " policy and stop it.",
        "system systems",
    ),
    Term(
        "Feature",
        "A part of an AI system that has its own switch, for example drafting replies.",
    ),
    Term(
        "Lifecycle stage",
        "Where an AI system is between idea and end: proposed, in review, live,"
        " restricted or retired.",
    ),
    Term(
        "Model retirement",
        "The day on which a vendor stops serving a model, with the AI systems that still use it.",
    ),
    Term(
        "Recertification",
        "The check that lets an agent or MCP server be used until a later day.",
    ),
    Term(
        "Risk class",
        "How much harm an AI system could do, standard or high; a higher class means stricter"
        " rules.",
    ),
    Term(
        "Substantial change",
        "A change of an AI system's purpose, model family, data sets, autonomy or intended users: what"
        " was assessed before is outdated until someone confirms with a reason that it is still valid.",
    ),
)
