"""Conversion of allocation rules between JSON, form text and labels. Pure.

read_rules(content)         parse a row's content into rules by pool
plain_rules(rules)          the reverse
read_percents(text, …)      parse "acme 40, globex 25.5"
label(rule, names)          "Tokens", "Fixed shares: Acme 40%, Globex 25.5%"
check_rules(rules)          require a rule for each pool, and fixed shares of at most 100%
"""

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any
from uuid import UUID

from governance.economics.formulas.allocation import (
    Driver,
    Pool,
    Rule,
    fixed_percents_problem,
)
from governance.kernel.errors import Invalid

type Rules = Mapping[Pool, Rule[UUID]]

POOL_LABELS: Mapping[Pool, str] = {
    Pool.INFRASTRUCTURE: "Infrastructure",
    Pool.IDLE: "Idle capacity",
    Pool.GUARDRAILS: "Guardrails",
    Pool.SUPPORT: "Support",
    Pool.OTHER: "Other",
}
DRIVER_LABELS: Mapping[Driver, str] = {
    Driver.TOKENS: "Tokens",
    Driver.REQUESTS: "Requests",
    Driver.ACTIVE_USERS: "Active users",
    Driver.REVENUE: "Revenue",
    Driver.EQUAL: "Equal",
    Driver.FIXED: "Fixed shares",
}
ALL_POOLS = "All pools"
NO_RULE = "No rule: all of it is residue"
MAX_DECIMALS = 4  # of a percentage


def read_rules(content: Mapping[str, Any]) -> dict[Pool, Rule[UUID]]:
    """Parse the `content` of a row into rules by pool."""
    return {
        Pool(pool): Rule(
            Driver(rule["driver"]),
            {UUID(key): Decimal(percent) for key, percent in rule["percents"].items()}
            if "percents" in rule
            else None,
        )
        for pool, rule in content.items()
    }


def plain_rules(rules: Rules) -> dict[str, Any]:
    """Return the rules as the `content` of a row."""
    return {pool.value: _plain(rule) for pool, rule in rules.items()}


def _plain(rule: Rule[UUID]) -> dict[str, Any]:
    if rule.driver is not Driver.FIXED:
        return {"driver": rule.driver.value}
    percents = sorted((str(key), each) for key, each in (rule.percents or {}).items())
    return {
        "driver": rule.driver.value,
        "percents": {key: percent_text(each) for key, each in percents},
    }


def percent_text(percent: Decimal) -> str:
    """Return "40" or "25.5": every digit, without trailing zeros."""
    return f"{percent.normalize():f}"


def read_percents(text: str, ids: Mapping[str, UUID], *, field: str) -> dict[UUID, Decimal]:
    """Parse "acme 40, globex 25.5", with tenants by slug. Raises Invalid for `field`."""
    found: dict[UUID, Decimal] = {}
    for part in filter(None, (each.strip() for each in text.replace("\n", ",").split(","))):
        slug, _, number = part.rpartition(" ")
        tenant = ids.get(slug.strip())
        if tenant is None:
            raise Invalid(
                f"“{part[:60]}” names no tenant. Write its slug and a percent, such as acme 40.",
                field=field,
            )
        if tenant in found:
            raise Invalid(f"{slug} is there twice.", field=field)
        found[tenant] = _percent(number, part, field)
    if not found:
        raise Invalid("Enter the share of at least one tenant.", field=field)
    return found


def _percent(number: str, part: str, field: str) -> Decimal:
    try:
        percent = Decimal(number.rstrip("%"))
    except DecimalException as error:
        raise Invalid(f"“{part[:60]}” has no percent, such as 40 or 25.5.", field=field) from error
    if not percent.is_finite() or percent != percent.quantize(Decimal(1).scaleb(-MAX_DECIMALS)):
        raise Invalid(f"A share has {MAX_DECIMALS} decimals at most.", field=field)
    return percent


def check_rules(rules: Rules) -> None:
    """Raise Invalid for a pool without a rule, and for fixed shares above 100%."""
    for pool in Pool:
        if pool not in rules:
            raise Invalid(f"Choose how {POOL_LABELS[pool].lower()} is shared.", field=pool.value)
        rule = rules[pool]
        if rule.driver is Driver.FIXED:
            problem = fixed_percents_problem((rule.percents or {}).values())
            if problem is not None:
                raise Invalid(problem, field=percents_field(pool))


def percents_field(pool: Pool) -> str:
    """Return the name of the form field with a pool's fixed shares."""
    return f"{pool.value}_percents"


def label(rule: Rule[UUID] | None, names: Mapping[UUID, str]) -> str:
    """Return the rule in words. A tenant that no longer exists is "a deleted tenant"."""
    if rule is None:
        return NO_RULE
    if rule.driver is not Driver.FIXED:
        return DRIVER_LABELS[rule.driver]
    shares = (
        f"{names.get(key, 'a deleted tenant')} {percent_text(percent)}%"
        for key, percent in (rule.percents or {}).items()
    )
    return f"{DRIVER_LABELS[rule.driver]}: {', '.join(shares)}"


def changed_lines(
    before: Rules, after: Rules, names: Mapping[UUID, str]
) -> list[tuple[str, str, str]]:
    """Return (pool, before, after) in words for each pool whose rule differs.

    If all pools change alike, they are one line.
    """
    lines = [
        (POOL_LABELS[pool], label(before.get(pool), names), label(after.get(pool), names))
        for pool in Pool
        if before.get(pool) != after.get(pool)
    ]
    alike = {(old, new) for _pool, old, new in lines}
    if len(lines) == len(Pool) and len(alike) == 1:
        return [(ALL_POOLS, *alike.pop())]
    return lines
