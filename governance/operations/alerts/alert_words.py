"""Sentences about alerts for pages, emails, the inbox and webhooks. Pure."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from governance.kernel.formatting import plural
from governance.operations.alerts.rule_facts import fastest
from governance.operations.alerts.rule_sets import length_text

TIMES = "\N{MULTIPLICATION SIGN}"


def times(burn: Fraction | str) -> str:
    """Format a burn rate with one decimal, or with none from 100: "3.5", "5.0", "1,000"."""
    value = float(burn)
    return f"{value:,.0f}" if value >= 99.95 else f"{value:,.1f}"  # noqa: PLR2004 - rounds to 100


def limit_text(factor: Fraction | str) -> str:
    """Format the factor of a rule: "14.4", "3", "0.933"."""
    return f"{float(factor):,.3f}".rstrip("0").rstrip(".")


def fired_text(rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Describe what fired, for use after the objective's name, from the fastest rule's facts."""
    facts = fastest(rules)
    return _sentence(
        facts["long"]["burn"],
        facts["short"]["burn"],
        facts["long_minutes"],
        facts["short_minutes"],
        facts["factor"],
    )


def open_text(states: Mapping[str, int]) -> str:
    """Count open alerts by state: "1 alert is firing, 2 are acknowledged"."""
    firing, seen = states.get("firing", 0), states.get("acknowledged", 0)
    lead = f"{plural(firing, 'alert')} {_are(firing)} firing" if firing else "No alert is firing"
    return f"{lead}, {seen:,} {_are(seen)} acknowledged" if seen else lead


def _are(number: int) -> str:
    return "is" if number == 1 else "are"


def pace_text(rules: Mapping[str, Mapping[str, Any]]) -> str:
    """Describe the pace when it fired: "20.8 times the allowed pace"."""
    burn = fastest(rules)["long"]["burn"]
    return (
        "events lost where none is allowed"
        if burn is None
        else f"{times(burn)} times the allowed pace"
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
