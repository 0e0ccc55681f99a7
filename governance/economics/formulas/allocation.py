"""Allocation of shared cost to tenants, rounded to the cent, with an explicit residue.

Invariant: allocated + residue = total. Each share is rounded to the nearest cent (half to even).
The residue is what rounding and missing weights leave unallocated; no tenant bears it. Rounding
alone keeps it within half a cent per tenant, above or below zero. A share has the same sign as the
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
    """The measure by which a pool of shared cost is divided."""

    TOKENS = "tokens"
    REQUESTS = "requests"
    ACTIVE_USERS = "active_users"
    REVENUE = "revenue"
    EQUAL = "equal"
    FIXED = "fixed"


class Pool(StrEnum):
    """A pool of shared cost, which no single tenant causes."""

    INFRASTRUCTURE = "infrastructure"
    IDLE = "idle"
    GUARDRAILS = "guardrails"
    SUPPORT = "support"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class TenantMonth:
    """The measures of a tenant in a month that drivers use as weights."""

    tokens: int = 0
    requests: int = 0
    active_users: int = 0
    revenue: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Rule[K]:
    """The rule of a pool: a measured driver, or fixed percents that add up to at most 100."""

    driver: Driver
    percents: Mapping[K, Decimal] | None = None  # only for Driver.FIXED


@dataclass(frozen=True, slots=True)
class Shares[K]:
    """A total divided among tenants, and its residue."""

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
        """Return a tenant's share of all pools together."""
        return sum((each.by_key.get(key, ZERO) for each in self.pools.values()), ZERO)


def allocate[K](
    total: Decimal,
    weights: Mapping[K, Decimal | int],
    unit: Decimal = CENT,
    *,
    whole: Decimal | int | None = None,
) -> Shares[K]:
    """Divide a total by weights. The undivided rest is the residue.

    total   money; negative for a credit
    unit    rounding unit of the shares: the smallest unit of the currency
    whole   sum that the weights are parts of: by default their own sum, 100 for percents

    A negative weight, such as the revenue of a tenant with more credits than invoices, counts as
    zero. If all weights are zero, the whole total is residue. Raises ValueError if the weights
    exceed `whole`.
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
    """Return each tenant's weight for a measured driver. Raises ValueError for FIXED."""
    if driver is Driver.FIXED:
        raise ValueError("Fixed shares are percents of a rule, not measured.")
    if driver is Driver.EQUAL:
        return dict.fromkeys(tenants, 1)
    return {key: getattr(month, driver.value) for key, month in tenants.items()}


def allocate_pool[K](
    total: Decimal, rule: Rule[K], tenants: Mapping[K, TenantMonth], unit: Decimal = CENT
) -> Shares[K]:
    """Divide a pool by its rule. Only tenants of the month get a share, even a fixed one."""
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
    """Divide each pool by its rule. A pool without a rule becomes residue."""
    return Allocation(
        {
            pool: allocate_pool(total, rules[pool], tenants, unit)
            if pool in rules
            else Shares(total, dict.fromkeys(tenants, ZERO), total)
            for pool, total in totals.items()
        }
    )


def fixed_percents_problem(percents: Iterable[Decimal]) -> str | None:
    """Return what is wrong with fixed shares, or None if they are valid."""
    listed = list(percents)
    if any(each < 0 for each in listed):
        return "A fixed share can't be below 0%."
    if sum(listed, ZERO) > PERCENT:
        return f"The fixed shares add up to {sum(listed, ZERO)}%. Reduce them to 100% or less."
    return None


def _rounded(amount: Fraction, unit: Decimal) -> Decimal:
    return round(amount / Fraction(unit)) * unit
