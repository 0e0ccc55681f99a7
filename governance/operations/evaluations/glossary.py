"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Evaluation",
        "A test of an AI system on cases: what it gets right, what it makes up, how long it takes and"
        " what it costs.",
        "evaluation evaluations",
    ),
    Term(
        "Evaluation run",
        "One version of an evaluation suite on one release of an AI system, with a figure, an"
        " interval and a verdict for each measure.",
    ),
    Term(
        "Evaluation runner",
        "A system of your own that evaluates when people ask for it, and sends the run; Meridian runs"
        " no models.",
    ),
    Term(
        "Evaluation suite",
        "The cases, method and measures that an evaluation uses; each published version stays as it"
        " is.",
    ),
    Term(
        "Judge",
        "The model that decides whether a case of an evaluation passes; people label a set of cases to"
        " measure how far it agrees with them.",
        "judge judges",
    ),
    Term(
        "Run comparison",
        "Two evaluation runs of one suite, compared on the cases that both have, with a verdict for"
        " each measure: better, worse, or undecided.",
        "comparison comparisons",
    ),
)
