"""Queries of the operator's allocation rules.

rules_in_force(month)                   the version that applies to a month, with its rules
allocate_month(month, pools, tenants)   shared cost divided by these rules
versions()                              every approved version
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from governance.economics.allocation.models import AllocationRules
from governance.economics.allocation.rule_content import Rules, read_rules
from governance.economics.formulas.allocation import (
    CENT,
    Allocation,
    Pool,
    TenantMonth,
    allocate_pools,
)
from governance.foundation.tenants.queries import all_tenants
from governance.kernel.data.db import find, session
from governance.kernel.months import Month

KIND = "allocation_rules"  # approval kind
CLOSED = ("rejected", "withdrawn", "expired", "voided")


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """The rules that apply to a month. Version 0, without rules, applies before the first one."""

    number: int
    since: Month | None
    rules: Rules


def rules_in_force(month: Month) -> RulesInForce:
    """Return the newest version that begins in that month or earlier."""
    query = select(AllocationRules).where(
        AllocationRules.number.is_not(None), AllocationRules.since <= str(month)
    )
    row = session().scalars(query.order_by(AllocationRules.number.desc()).limit(1)).one_or_none()
    return _as_rules(row)


def newest_rules() -> RulesInForce:
    """Return the newest version, which may begin in a future month."""
    query = select(AllocationRules).where(AllocationRules.number.is_not(None))
    row = session().scalars(query.order_by(AllocationRules.number.desc()).limit(1)).one_or_none()
    return _as_rules(row)


def _as_rules(row: AllocationRules | None) -> RulesInForce:
    if row is None:
        return RulesInForce(0, None, {})
    return RulesInForce(row.number or 0, row.first_month, read_rules(row.content))


def allocate_month(
    month: Month,
    pools: Mapping[Pool, Decimal],
    tenants: Mapping[UUID, TenantMonth],
    unit: Decimal = CENT,
) -> Allocation[UUID]:
    """Divide the shared cost of a month by the rules in force, to the cent.

    Each tenant of `tenants` gets a share of each pool, possibly 0. Cost that no rule allocates is
    residue.
    """
    return allocate_pools(pools, rules_in_force(month).rules, tenants, unit)


def version(version_id: UUID, *, lock: bool = False) -> AllocationRules:
    """Return a version or a request. Raises NotFound."""
    return find(AllocationRules, version_id, what="version of the allocation rules", lock=lock)


def rules_of(number: int) -> Rules:
    """Return the rules of version `number`; empty for version 0."""
    query = select(AllocationRules.content).where(AllocationRules.number == number)
    return read_rules(session().scalar(query) or {})


def versions() -> Sequence[AllocationRules]:
    """Return the approved versions, the newest first."""
    query = select(AllocationRules).where(AllocationRules.number.is_not(None))
    return session().scalars(query.order_by(AllocationRules.number.desc())).all()


def closed_requests() -> Sequence[AllocationRules]:
    """Return the 20 newest requests that didn't become a version, the newest first."""
    query = select(AllocationRules).where(AllocationRules.state.in_(CLOSED))
    return session().scalars(query.order_by(AllocationRules.created_at.desc()).limit(20)).all()


def open_request(*, lock: bool = False) -> AllocationRules | None:
    query = select(AllocationRules).where(AllocationRules.state == "requested")
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def newest_number() -> int:
    """Return the number of the newest version; 0 before the first."""
    return session().scalar(select(func.max(AllocationRules.number))) or 0


def customers() -> dict[UUID, tuple[str, str]]:
    """Return (slug, name) of each customer by id."""
    return {each.id: (each.slug, each.name) for each in all_tenants() if each.kind == "customer"}
