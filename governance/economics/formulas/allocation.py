"""Shared cost divided among tenants: to the cent, with a residue that has its own line.

Law: allocated + residue = total. Each share is rounded to the nearest cent (half to even). What
rounding and missing weights leave over is the residue, which is spread over nobody; rounding alone
keeps it within half a cent for each tenant, on either side of zero. A share has the sign of the
total: a cost never pays a tenant, and a credit never charges one.

Source: design/economics.md §3.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

CENT = Decimal("0.01")
ZERO = Decimal(0)
PERCENT = 100


class Driver(StrEnum):
    """What a tenant's share follows."""

    TOKENS = "tokens"
    REQUESTS = "requests"
    ACTIVE_USERS = "active_users"
    REVENUE = "revenue"
    EQUAL = "equal"
    FIXED = "fixed"


class Pool(StrEnum):
    """A cost that no tenant causes alone."""

    INFRASTRUCTURE = "infrastructure"
    IDLE = "idle"
    GUARDRAILS = "guardrails"
    SUPPORT = "support"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TenantMonth:
    """What drivers measure of a tenant in a month."""

    tokens: int = 0
    requests: int = 0
    active_users: int = 0
    revenue: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Rule[K]:
    """How a pool is shared: by a measured driver, or in fixed percents of at most 100."""

    driver: Driver
    percents: Mapping[K, Decimal] | None = None  # where the driver is FIXED


@dataclass(frozen=True, slots=True)
class Shares[K]:
    """A total divided by tenant, and what is left over."""

    total: Decimal
    by_key: Mapping[K, Decimal]
    residue: Decimal

    @property
    def allocated(self) -> Decimal:
        return sum(self.by_key.values(), ZERO)


@dataclass(frozen=True, slots=True)
class Allocation[K]:
    """The shares of each pool."""

    pools: Mapping[Pool, Shares[K]]

    @property
    def total(self) -> Decimal:
        return sum((each.total for each in self.pools.values()), ZERO)

    @property
    def allocated(self) -> Decimal:
        return sum((each.allocated for each in self.pools.values()), ZERO)

    @property
    def residue(self) -> Decimal:
        return sum((each.residue for each in self.pools.values()), ZERO)

    def share_of(self, key: K) -> Decimal:
        """What a tenant bears of all pools together."""
        return sum((each.by_key.get(key, ZERO) for each in self.pools.values()), ZERO)


def allocate[K](
    total: Decimal,
    weights: Mapping[K, Decimal | int],
    unit: Decimal = CENT,
    *,
    whole: Decimal | int | None = None,
) -> Shares[K]:
    """Divide a total by weight; what isn't divided is the residue.

    total   money; negative for a credit
    unit    what shares are rounded to: the smallest unit of the currency
    whole   what the weights are parts of, by default their sum: 100 for percents

    A weight below zero, such as the revenue of a tenant with more credits than invoices, counts as
    zero. Without any weight, everything is residue. Raises ValueError where weights exceed `whole`.
    """
    parts = {key: max(Fraction(weight), Fraction(0)) for key, weight in weights.items()}
    of = sum(parts.values(), Fraction(0)) if whole is None else Fraction(whole)
    if whole is not None and sum(parts.values()) > of:
        raise ValueError(f"The shares add up to more than {whole}.")
    shares = {
        key: _rounded(Fraction(total) * part / of, unit) if of else ZERO
        for key, part in parts.items()
    }
    return Shares(total, shares, total - sum(shares.values(), ZERO))


def weights[K](driver: Driver, tenants: Mapping[K, TenantMonth]) -> dict[K, Decimal | int]:
    """Return what a measured driver counts of each tenant."""
    if driver is Driver.FIXED:
        raise ValueError("Fixed shares are percents of a rule, not measured.")
    if driver is Driver.EQUAL:
        return dict.fromkeys(tenants, 1)
    return {key: getattr(month, driver.value) for key, month in tenants.items()}


def allocate_pool[K](
    total: Decimal, rule: Rule[K], tenants: Mapping[K, TenantMonth], unit: Decimal = CENT
) -> Shares[K]:
    """Divide a pool by its rule. Only tenants of the month bear a share, also a fixed one."""
    if rule.driver is not Driver.FIXED:
        return allocate(total, weights(rule.driver, tenants), unit)
    percents = rule.percents or {}
    here = {key: percents.get(key, ZERO) for key in tenants}
    return allocate(total, here, unit, whole=PERCENT)


def allocate_pools[K](
    totals: Mapping[Pool, Decimal],
    rules: Mapping[Pool, Rule[K]],
    tenants: Mapping[K, TenantMonth],
    unit: Decimal = CENT,
) -> Allocation[K]:
    """Divide each pool by its rule; a pool without a rule is residue as a whole."""
    return Allocation(
        {
            pool: allocate_pool(total, rules[pool], tenants, unit)
            if pool in rules
            else Shares(total, dict.fromkeys(tenants, ZERO), total)
            for pool, total in totals.items()
        }
    )


def fixed_percents_problem(percents: Iterable[Decimal]) -> str | None:
    """Say what is wrong with fixed shares; None where nothing is."""
    listed = list(percents)
    if any(each < 0 for each in listed):
        return "A fixed share can't be below 0%."
    if sum(listed, ZERO) > PERCENT:
        return f"The fixed shares add up to {sum(listed, ZERO)}%. Reduce them to 100% or less."
    return None


def _rounded(amount: Fraction, unit: Decimal) -> Decimal:
    return round(amount / Fraction(unit)) * unit
