"""Gross margins of tenants under each allocation rule, and which of them change sign.

"Globex loses money under every rule; Northgate Mutual only by active users". Source:
design/economics.md §3; ui/screens/21. A margin of zero is no loss.
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
MOST_NAMES = 2  # in a headline; more are counted
BY: Mapping[Driver, str] = {
    Driver.TOKENS: "by tokens",
    Driver.REQUESTS: "by requests",
    Driver.ACTIVE_USERS: "by active users",
    Driver.REVENUE: "by revenue",
    Driver.EQUAL: "in equal shares",
}


@dataclass(frozen=True, slots=True)
class TenantSensitivity[K]:
    """What a tenant's month earns under each rule, as money."""

    tenant: K
    by_driver: Mapping[Driver, Decimal]
    in_force: Decimal

    @property
    def losing(self) -> tuple[Driver, ...]:
        """The rules under which it loses money."""
        return tuple(driver for driver, margin in self.by_driver.items() if margin < 0)

    @property
    def changes_sign(self) -> bool:
        return 0 < len(self.losing) < len(self.by_driver)

    @property
    def conclusion(self) -> str:
        """In words: "Loses only by active users", "Loses under four of five"."""
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
    """All tenants under each rule, the lowest margin in force first."""

    tenants: tuple[TenantSensitivity[K], ...]
    residue: Mapping[Driver, Decimal]
    residue_in_force: Decimal

    def total(self, driver: Driver) -> Decimal:
        """The margin of all tenants together; the same under every rule, but for the residue."""
        return sum((each.by_driver[driver] for each in self.tenants), ZERO)

    def ranking(self, driver: Driver) -> tuple[K, ...]:
        """The tenants by their margin under a rule, the lowest first."""
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
    """Return each tenant's margin if all pools were shared by one driver, for each driver.

    before    margin of each tenant before shared cost: revenue − cost that it causes itself
    rules     those in force; a pool with fixed shares keeps them under every driver

    Tenants are those of `before`; each is in `tenants` too, unless nothing was measured of it.
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
    """Say who loses money whatever the rule, and who only under one of them."""
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
