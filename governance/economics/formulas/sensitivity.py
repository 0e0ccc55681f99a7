"""Sensitivity of tenants' gross margins to the allocation rule.

Example: "Globex loses money under every rule; Northgate Mutual only by active users". A margin of
zero isn't a loss. Source: design/economics.md §3; ui/screens/21.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.allocation import (
    CENT,
    ZERO,
    Driver,
    Pool,
    Rule,
    TenantMonth,
    allocate_pools,
)

MEASURED = (Driver.TOKENS, Driver.REQUESTS, Driver.ACTIVE_USERS, Driver.REVENUE, Driver.EQUAL)
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MOST_NAMES = 2  # in a headline; more names are replaced by their count
BY: Mapping[Driver, str] = {
    Driver.TOKENS: "by tokens",
    Driver.REQUESTS: "by requests",
    Driver.ACTIVE_USERS: "by active users",
    Driver.REVENUE: "by revenue",
    Driver.EQUAL: "in equal shares",
}


@dataclass(frozen=True, slots=True)
class TenantSensitivity[K]:
    """A tenant's gross margin in a month under each driver, in money."""

    tenant: K
    by_driver: Mapping[Driver, Decimal]
    in_force: Decimal

    @property
    def losing(self) -> tuple[Driver, ...]:
        """The drivers under which the tenant loses money."""
        return tuple(driver for driver, margin in self.by_driver.items() if margin < 0)

    @property
    def changes_sign(self) -> bool:
        return 0 < len(self.losing) < len(self.by_driver)

    @property
    def conclusion(self) -> str:
        """The conclusion in words: "Loses only by active users", "Loses under four of five"."""
        losing, rules = len(self.losing), len(self.by_driver)
        if not losing:
            return "Profitable under every rule"
        if losing == rules:
            return "Loses under every rule"
        if losing == 1:
            return f"Loses only {BY[self.losing[0]]}"
        return f"Loses under {NUMBERS[losing]} of {NUMBERS[rules]}"


@dataclass(frozen=True, slots=True)
class Sensitivity[K]:
    """All tenants under each driver, sorted by the margin in force, the lowest first."""

    tenants: tuple[TenantSensitivity[K], ...]
    residue: Mapping[Driver, Decimal]
    residue_in_force: Decimal

    def total(self, driver: Driver) -> Decimal:
        """Return the margin of all tenants together. It varies by driver only by the residue."""
        return sum((each.by_driver[driver] for each in self.tenants), ZERO)

    def ranking(self, driver: Driver) -> tuple[K, ...]:
        """Return the tenants by their margin under a driver, the lowest first."""
        ordered = sorted(self.tenants, key=lambda each: each.by_driver[driver])
        return tuple(each.tenant for each in ordered)


def margins_by_driver[K](
    before: Mapping[K, Decimal],
    pools: Mapping[Pool, Decimal],
    rules: Mapping[Pool, Rule[K]],
    tenants: Mapping[K, TenantMonth],
    *,
    drivers: Sequence[Driver] = MEASURED,
    unit: Decimal = CENT,
) -> Sensitivity[K]:
    """Return each tenant's margin for each driver, as if that driver divided all pools.

    before    margin of each tenant before shared cost: revenue − direct cost
    rules     rules in force; a pool with fixed shares keeps them under every driver

    The result covers the tenants of `before`. A tenant that is missing in `tenants` has zero
    measures.
    """
    measured = {key: tenants.get(key, TenantMonth()) for key in before}
    fixed = {pool: rule for pool, rule in rules.items() if rule.driver is Driver.FIXED}
    in_force = allocate_pools(pools, rules, measured, unit)
    under = {
        driver: allocate_pools(
            pools, {pool: fixed.get(pool, Rule(driver)) for pool in pools}, measured, unit
        )
        for driver in drivers
    }
    found = [
        TenantSensitivity(
            key,
            {driver: margin - shared.share_of(key) for driver, shared in under.items()},
            margin - in_force.share_of(key),
        )
        for key, margin in before.items()
    ]
    return Sensitivity(
        tuple(sorted(found, key=lambda each: each.in_force)),
        {driver: shared.residue for driver, shared in under.items()},
        in_force.residue,
    )


def headline[K](tenants: Sequence[TenantSensitivity[K]], names: Mapping[K, str]) -> str:
    """Return a headline that names tenants losing money under every rule or only under some."""
    losing = [each for each in tenants if each.losing]
    always = [names[each.tenant] for each in losing if not each.changes_sign]
    changing = [each for each in losing if each.changes_sign]
    parts = [(always, "under every rule")] if always else []
    if len(changing) == 1 and len(changing[0].losing) == 1:
        parts.append(([names[changing[0].tenant]], f"only {BY[changing[0].losing[0]]}"))
    elif changing:
        parts.append(([names[each.tenant] for each in changing], "under some rules"))
    if not parts:
        return "No tenant loses money under any rule"
    (first, rule), *others = parts
    verb = "loses" if len(first) == 1 else "lose"
    sentence = "; ".join(
        [f"{_who(first)} {verb} money {rule}", *(f"{_who(who)} {when}" for who, when in others)]
    )
    return sentence[0].upper() + sentence[1:]


def _who(names: Sequence[str]) -> str:
    if len(names) <= MOST_NAMES:
        return " and ".join(names)
    count = NUMBERS[len(names)] if len(names) < len(NUMBERS) else str(len(names))
    return f"{count} tenants"
