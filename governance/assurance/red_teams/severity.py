"""The severity of a finding: the base score of CVSS 3.1, from its eight metrics. Pure.

    Source: FIRST, Common Vulnerability Scoring System v3.1, Specification Document, section 7.1.

The vector keeps every input, so anybody can recompute the score with another calculator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

METHOD = "CVSS 3.1 base score"
PREFIX = "CVSS:3.1"


@dataclass(frozen=True, slots=True)
class Metric:
    """An input of the score. `values` have labels that fit an attack on an AI system."""

    key: str
    title: str
    question: str
    values: Mapping[str, str]


IMPACT = {"N": "None", "L": "Some", "H": "Serious"}
METRICS = (
    Metric(
        "AV",
        "Attack vector",
        "From where does the attack work?",
        {
            "N": "Over the internet",
            "A": "From the same network",
            "L": "From an account on the system",
            "P": "With the device in hand",
        },
    ),
    Metric(
        "AC",
        "Attack complexity",
        "Does it work again and again?",
        {
            "L": "Low: again and again, as described",
            "H": "High: only under conditions the attacker can't set",
        },
    ),
    Metric(
        "PR",
        "Privileges required",
        "What may the attacker do beforehand?",
        {"N": "Nothing", "L": "What any signed-in user may", "H": "What an administrator may"},
    ),
    Metric(
        "UI",
        "User interaction",
        "Does somebody else have to do something?",
        {"N": "None", "R": "Required, such as opening a document"},
    ),
    Metric(
        "S",
        "Scope",
        "Does it reach beyond the AI system?",
        {"U": "Unchanged: the AI system alone", "C": "Changed: another system too, by a tool"},
    ),
    Metric("C", "Confidentiality", "What does it reveal?", IMPACT),
    Metric("I", "Integrity", "What does it make the system say or do wrongly?", IMPACT),
    Metric("A", "Availability", "What does it stop?", IMPACT),
)
BANDS = (  # The lowest score of each, named as in CVSS.
    (Decimal("9.0"), "Critical"),
    (Decimal("7.0"), "High"),
    (Decimal("4.0"), "Medium"),
    (Decimal("0.1"), "Low"),
    (Decimal(0), "None"),
)
WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "UI": {"N": 0.85, "R": 0.62},
    "C": {"H": 0.56, "L": 0.22, "N": 0},
}
PRIVILEGES = {  # By scope.
    "U": {"N": 0.85, "L": 0.62, "H": 0.27},
    "C": {"N": 0.85, "L": 0.68, "H": 0.5},
}
VECTOR = re.compile(
    re.escape(PREFIX) + "".join(f"/{metric.key}:([{''.join(metric.values)}])" for metric in METRICS)
)


def vector_of(values: Mapping[str, str]) -> str:
    """Return the vector of the metrics. Raise ValueError if one is missing or unknown."""
    text = PREFIX + "".join(f"/{each.key}:{values.get(each.key, '')}" for each in METRICS)
    read_vector(text)
    return text


def read_vector(text: str) -> dict[str, str]:
    """Return the value of each metric. Raise ValueError for any other text."""
    found = VECTOR.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:60]!r} isn't a vector of {PREFIX}")
    return {each.key: value for each, value in zip(METRICS, found.groups(), strict=True)}


def base_score(vector: str) -> Decimal:
    """Return the base score, from 0.0 to 10.0."""
    given = read_vector(vector)
    harm = WEIGHTS["C"]
    lost = 1 - (1 - harm[given["C"]]) * (1 - harm[given["I"]]) * (1 - harm[given["A"]])
    is_changed = given["S"] == "C"
    impact = 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02) ** 15 if is_changed else 6.42 * lost
    if impact <= 0:
        return Decimal("0.0")
    ease = (
        8.22
        * WEIGHTS["AV"][given["AV"]]
        * WEIGHTS["AC"][given["AC"]]
        * PRIVILEGES[given["S"]][given["PR"]]
        * WEIGHTS["UI"][given["UI"]]
    )
    return _rounded_up(min((1.08 if is_changed else 1.0) * (impact + ease), 10.0))


def _rounded_up(value: float) -> Decimal:
    """Round up to one decimal, with integers as appendix A of the specification does."""
    exact = round(value * 100_000)
    tenths = exact // 10_000 + (exact % 10_000 != 0)
    return Decimal(tenths) / 10


def band_of(score: Decimal) -> str:
    """Return the rating of a score: None, Low, Medium, High or Critical."""
    return next(word for lowest, word in BANDS if score >= lowest)
