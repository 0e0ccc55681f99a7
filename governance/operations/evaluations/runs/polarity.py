"""The meaning of `true` for a score of Meridian's own JSON: good or bad. Pure.

    polarity(stated, name, rule)       "good" or "bad", or FileRefused if it is ambiguous
    turned(scores, read_as, rules)     the scores as the measures count them

A file states it by name in `true_is`. Otherwise the suite's measure decides, as the person who
configured it set it, unless the name suggests the opposite: `hallucination: true` reads as harm, so
a measure that counts the good answers under such a name needs the statement. The formats of other
tools define a pass; their readers return the good result as 1.
"""

from collections.abc import Collection, Mapping, Sequence

from governance.operations.evaluations.files.records import FileRefused
from governance.operations.evaluations.runs.judging import MeasureRule

GOOD, BAD = "good", "bad"
POLARITIES = (GOOD, BAD)
HARMS = (  # Parts of a name for which "true" reads as harm
    "hallucinat",
    "harmful",
    "toxic",
    "jailbreak",
    "unsafe",
    "bias",
    "leak",
    "violat",
    "offensive",
    "hate",
    "ungrounded",
    "unfaithful",
    "incorrect",
    "wrong",
    "error",
    "fail",
    "attack",
    "injection",
)
NEGATIONS = ("no-", "not-", "non-", "without-", "free", "resist", "block")


def counts_good(rule: MeasureRule) -> bool:
    """Return True if 1 in a file is the good result for this measure."""
    return rule.at_least != rule.is_inverted


def names_a_harm(name: str) -> bool:
    """Return True if `true` under this name reads as harm: "harmful-output", not "no-toxicity"."""
    plain = name.casefold().replace("_", "-").replace(" ", "-")
    return any(each in plain for each in HARMS) and not any(each in plain for each in NEGATIONS)


def polarity(stated: Mapping[str, str], name: str, rule: MeasureRule) -> str:
    """Return the meaning of 1 under the name. Raises FileRefused that explains how to state it."""
    if name in stated:
        return stated[name]
    is_its_own = name == rule.key and not rule.at_least
    if counts_good(rule) and (names_a_harm(name) or is_its_own):
        raise FileRefused(
            name[:40],
            f"The file doesn't say whether true is good or bad for “{name[:40]}”. State it beside the"
            f' samples: "true_is": {{"{name[:40]}": "bad"}}, or "good".',
        )
    return GOOD if counts_good(rule) else BAD


def rules_by_name(rules: Sequence[MeasureRule]) -> dict[str, MeasureRule]:
    """Return the measure for each name in files.

    Percentiles, and means in a unit other than share, have none.
    """
    return {
        name: rule
        for rule in reversed(rules)
        if rule.kind == "rate" or (rule.kind == "mean" and rule.unit == "share")
        for name in rule.names
    }


def turned(
    scores: Mapping[str, float], read_as: Mapping[str, str], by_name: Mapping[str, MeasureRule]
) -> dict[str, float]:
    """Return the scores, inverted if the measure counts the opposite side."""
    return {
        name: 1.0 - value
        if name in read_as and (read_as[name] == GOOD) != counts_good(by_name[name])
        else value
        for name, value in scores.items()
    }


def check_used(stated: Collection[str], by_name: Mapping[str, MeasureRule]) -> None:
    """Raise FileRefused if a name is stated that no measure of the suite reads."""
    if unknown := sorted(set(stated) - by_name.keys()):
        raise FileRefused(
            f"true_is, {unknown[0][:40]}", "No measure of the suite reads a share under this name."
        )
