"""A set of burn-rate rules as JSON and as text.

Pure.

    read_rules, plain_rules     from and to the JSON of an objective's version
    rule_text, length_text      "2% in 1 h", "3 days"
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from governance.operations.alerts.burn_rules import (
    DEFAULT_RULES,
    MIN_BAD,
    MIN_TOTAL,
    BurnRule,
    decimal_text,
)

NO_RULE = "A rule is an object with budget_share, long_minutes and short_minutes."
MAX_RULES = 8
MAX_LONG_MINUTES = 7 * 1440


def read_rules(raw: Any) -> tuple[BurnRule, ...]:
    """Read the rule set of an objective's version: a list, or {"rules": list}.

    None means the default set; an empty list means no rules. Raises ValueError with a sentence.
    """
    if raw is None or raw == {}:
        return DEFAULT_RULES
    rows = raw.get("rules") if isinstance(raw, Mapping) else raw
    if not isinstance(rows, list | tuple):
        raise ValueError("A rule set is a list of rules.")  # noqa: TRY004 - input of people
    rules = tuple(_read_rule(row) for row in rows)
    if len(rules) > MAX_RULES:
        raise ValueError(f"An objective has at most {MAX_RULES} rules. Remove some.")
    if len({rule.key for rule in rules}) < len(rules):
        raise ValueError("Two rules are the same. Remove one of them.")
    return rules


def _read_rule(row: Any) -> BurnRule:
    if not isinstance(row, Mapping):
        raise ValueError(NO_RULE)  # noqa: TRY004 - input of people
    share = _share(row.get("budget_share"))
    long, short = (
        _whole(row, name, MAX_LONG_MINUTES) for name in ("long_minutes", "short_minutes")
    )
    if short >= long:
        raise ValueError("The short window must be shorter than the long window.")
    severity = row.get("severity")
    if severity not in ("page", "ticket"):
        raise ValueError("A rule sends a page or a ticket.")
    minima = (
        _whole({"min_bad": MIN_BAD, "min_total": MIN_TOTAL, **row}, name, 10**9, least=0)
        for name in ("min_bad", "min_total")
    )
    return BurnRule(share, long, short, severity, *minima)


def _share(raw: Any) -> Fraction:
    try:
        share = Fraction(Decimal(str(raw)))
    except (InvalidOperation, ValueError, OverflowError):
        share = Fraction(0)
    if not 0 < share <= 1:
        raise ValueError("The budget share of a rule is above 0 and at most 1, such as 0.02.")
    return share


def _whole(row: Mapping[str, Any], name: str, most: int, least: int = 1) -> int:
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{name} is a whole number from {least} to {most:,}.")
    return value


def plain_rules(rules: Iterable[BurnRule]) -> list[dict[str, Any]]:
    """Return the JSON of a rule set, which `read_rules` reads."""
    return [plain_rule(each) for each in rules]


def plain_rule(rule: BurnRule) -> dict[str, Any]:
    return {
        "budget_share": decimal_text(rule.budget_share),
        "long_minutes": rule.long,
        "short_minutes": rule.short,
        "severity": rule.severity,
        "min_bad": rule.min_bad,
        "min_total": rule.min_total,
    }


def length_text(minutes: int) -> str:
    """Format a length as "5 min", "6 h" or "3 days", by the largest unit that divides it.

    A day is 24 h.
    """
    if minutes % 1440 == 0 and minutes > 1440:  # noqa: PLR2004 - minutes of a day
        return f"{minutes // 1440} days"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def rule_text(rule: BurnRule) -> str:
    """Format a rule as "2% in 1 h"."""
    return f"{decimal_text(rule.budget_share * 100)}% in {length_text(rule.long)}"
