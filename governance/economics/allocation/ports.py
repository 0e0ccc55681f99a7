"""Ports through which allocation reads closed months from features above it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from governance.economics.formulas.allocation import Pool, TenantMonth
from governance.kernel.months import Month
from governance.kernel.ports import Port


@dataclass(frozen=True, slots=True)
class ClosedTenant:
    """A tenant in a closed month: its gross margin as closed, and its driver measures."""

    name: str
    margin: Decimal
    measured: TenantMonth


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """The newest closed month, in the operator's reporting currency."""

    month: Month
    currency: str
    pools: Mapping[Pool, Decimal]
    tenants: Mapping[UUID, ClosedTenant]


closing_months: Port[Callable[[], Collection[Month]]] = Port(
    "months whose close is under way", lambda: ()
)
newest_closed_month: Port[Callable[[], ClosedMonth | None]] = Port(
    "the newest closed month of unit economics", lambda: None
)
