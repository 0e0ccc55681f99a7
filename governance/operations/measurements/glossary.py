"""Terms of the glossary."""

from governance.kernel.glossary import Term

TERMS = (
    Term(
        "Data coverage",
        "The share of a window's minutes that have data, which has to reach an objective's minimum"
        " before anything is stated.",
    ),
    Term(
        "Indicator",
        "One measured quantity of an AI system, such as requests answered or minutes down.",
        "indicator indicators",
    ),
    Term(
        "Prometheus source",
        "A server with Prometheus's HTTP API from which Meridian reads the minutes of indicators.",
        "prometheus",
    ),
)
