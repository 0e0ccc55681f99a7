"""The facts about a fired rule that an alert keeps, as JSON.

Pure. Shares, factors and burns are exact decimals if they are finite, else rounded to four
digits; counts are integers.
"""

from collections.abc import Mapping
from datetime import datetime
from fractions import Fraction
from typing import Any

from governance.operations.alerts.burn_rules import BurnRule, RuleVerdict, decimal_text
from governance.operations.alerts.rule_sets import plain_rule, rule_text
from governance.operations.measurements.scoring import Counts, IndicatorKind


def facts_of(verdict: RuleVerdict, kind: IndicatorKind, at: datetime) -> dict[str, Any]:
    """Return the facts of a rule at the moment it fired."""
    rule = verdict.rule
    return {
        "text": rule_text(rule),
        **plain_rule(rule),
        "factor": burn_text(verdict.factor),
        "long": _window(verdict.long, kind, verdict.long_burn),
        "short": _window(verdict.short, kind, verdict.short_burn),
        "fired_at": at.isoformat(),
    }


def _window(counts: Counts, kind: IndicatorKind, burn: Fraction | None) -> dict[str, Any]:
    return {
        "burn": None if burn is None else burn_text(burn),
        "lost": counts.lost(kind),
        "measured": counts.measured(kind),
    }


def rule_of(facts: Mapping[str, Any]) -> BurnRule:
    """Return the rule that these facts describe."""
    return BurnRule(
        Fraction(facts["budget_share"]),
        facts["long_minutes"],
        facts["short_minutes"],
        facts["severity"],
        facts["min_bad"],
        facts["min_total"],
    )


def burn_text(burn: Fraction) -> str:
    """Format a burn rate or factor: "14.4", "0.9333"."""
    return decimal_text(Fraction(round(burn * 10_000), 10_000))


def fastest(rules: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the facts of the rule with the highest factor, the most telling one."""
    return max(rules.values(), key=lambda facts: Fraction(facts["factor"]))
