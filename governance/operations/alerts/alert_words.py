"""What an alert says: one sentence for pages, e-mails, the inbox and webhooks.

Pure.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from governance.operations.alerts.burn_rules import RuleVerdict, length_text
from governance.operations.alerts.rule_facts import fastest

TIMES = "\N{MULTIPLICATION SIGN}"


def times(burn: Fraction | str) -> str:
    """Write a burn with one decimal, a factor without needless digits: "3.5", "14.4", "3.0"."""
    return f"{float(burn):,.1f}"


def limit_text(factor: Fraction | str) -> str:
    """Write the factor of a rule: "14.4", "3", "0.933"."""
    return f"{float(factor):,.3f}".rstrip("0").rstrip(".")


def fired_text(rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what fired, after the objective's name, by the facts of the fastest rule."""
    facts = fastest(rules)
    return _sentence(
        facts["long"]["burn"],
        facts["short"]["burn"],
        facts["long_minutes"],
        facts["short_minutes"],
        facts["factor"],
    )


def burning_text(verdicts: Iterable[RuleVerdict]) -> str:
    """Say what burns now, by the rule with the highest factor of those that fire; empty: none."""
    firing = [each for each in verdicts if each.status == "firing"]
    if not firing:
        return ""
    worst = max(firing, key=lambda each: each.factor)
    return _sentence(
        worst.long_burn, worst.short_burn, worst.rule.long, worst.rule.short, worst.factor
    )


def _sentence(
    long_burn: Fraction | str | None,
    short_burn: Fraction | str | None,
    long: int,
    short: int,
    factor: Fraction | str,
) -> str:
    if long_burn is None or short_burn is None:
        return f"lost events over {length_text(long)}, and its target allows none"
    return (
        f"spends its budget {times(long_burn)} times too fast over {length_text(long)} and"
        f" {times(short_burn)} times over {length_text(short)}; the rule allows"
        f" {limit_text(factor)}"
    )
