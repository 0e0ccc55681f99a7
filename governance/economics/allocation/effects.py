"""The effect of allocation rules on the newest closed month, by tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from markupsafe import Markup

from governance.economics.allocation.ports import ClosedMonth, newest_closed_month
from governance.economics.allocation.queries import rules_in_force
from governance.economics.allocation.range_chart import range_chart
from governance.economics.allocation.rule_content import DRIVER_LABELS, POOL_LABELS, Rules
from governance.economics.formulas.allocation import (
    ZERO,
    Allocation,
    Driver,
    Pool,
    TenantMonth,
    allocate_pools,
)
from governance.economics.formulas.currencies import DECIMALS
from governance.economics.formulas.sensitivity import (
    MEASURED,
    TenantSensitivity,
    headline,
    margins_by_driver,
)
from governance.kernel.months import Month

SHOWN = 12  # tenants listed by name; tenants that lose money are always listed


@dataclass(frozen=True, slots=True)
class EffectRow:
    """A tenant's margin: by driver, under the rules shown, and as closed."""

    name: str
    margins: Sequence[Decimal]
    chosen: Decimal
    closed: Decimal
    chart: Markup
    conclusion: str

    @property
    def change(self) -> Decimal:
        return self.chosen - self.closed


@dataclass(frozen=True, slots=True)
class Effects:
    """The newest closed month under the given rules.

    `single` is the index in `drivers` of the driver that all pools share, or None.
    """

    month: Month
    currency: str
    headline: str
    drivers: Sequence[str]
    single: int | None  # index in `drivers`
    rows: Sequence[EffectRow]
    others: int
    others_margins: Sequence[Decimal]
    others_chosen: Decimal
    totals: Sequence[Decimal]
    total: Decimal
    pools: Sequence[tuple[str, Decimal]]
    shared: Allocation[UUID]

    @property
    def tenants(self) -> int:
        return len(self.rows) + self.others

    @property
    def is_total_the_same(self) -> bool:
        """Whether all rules give the same total of tenants' margins, to the whole unit."""
        return len({round(each) for each in [*self.totals, self.total]}) == 1


def effects_of(rules: Rules) -> Effects | None:
    """Return the effect of the rules on the newest closed month, or None if no month is closed."""
    closed = newest_closed_month()()
    if closed is None or not closed.tenants:
        return None
    unit = Decimal(1).scaleb(-DECIMALS[closed.currency])
    measured = {key: each.measured for key, each in closed.tenants.items()}
    pools = closed.pools
    before = _before(closed, measured, unit)
    found = margins_by_driver(before, pools, rules, measured, unit=unit)
    names = {key: each.name for key, each in closed.tenants.items()}
    count = max(SHOWN, sum(1 for each in found.tenants if each.losing))
    shown = sorted(found.tenants, key=lambda each: (not each.losing, each.in_force))
    return Effects(
        month=closed.month,
        currency=closed.currency,
        headline=headline(found.tenants, names),
        drivers=[DRIVER_LABELS[driver] for driver in MEASURED],
        single=_single(rules, pools),
        rows=_rows(shown[:count], closed),
        others=len(shown[count:]),
        others_margins=_sums(shown[count:]),
        others_chosen=sum((each.in_force for each in shown[count:]), ZERO),
        totals=_sums(found.tenants),
        total=sum((each.in_force for each in found.tenants), ZERO),
        pools=[(POOL_LABELS[pool], amount) for pool, amount in pools.items()],
        shared=allocate_pools(pools, rules, measured, unit),
    )


def _before(
    closed: ClosedMonth, measured: Mapping[UUID, TenantMonth], unit: Decimal
) -> dict[UUID, Decimal]:
    """Return each tenant's margin before shared cost: its closed margin + its share."""
    rules = rules_in_force(closed.month).rules
    shared = allocate_pools(closed.pools, rules, measured, unit)
    return {key: each.margin + shared.share_of(key) for key, each in closed.tenants.items()}


def _single(rules: Rules, pools: Mapping[Pool, Decimal]) -> int | None:
    drivers = {rules[pool].driver if pool in rules else Driver.FIXED for pool in pools}
    if len(drivers) != 1 or (driver := drivers.pop()) not in MEASURED:
        return None
    return MEASURED.index(driver)


def _rows(tenants: Sequence[TenantSensitivity[UUID]], closed: ClosedMonth) -> list[EffectRow]:
    every = [amount for each in tenants for amount in (*each.by_driver.values(), each.in_force)]
    scale = (min(every, default=ZERO), max(every, default=ZERO))
    rows = []
    for each in tenants:
        tenant, margins = closed.tenants[each.tenant], list(each.by_driver.values())
        chart = range_chart(tenant.name, margins, each.in_force, scale)
        rows.append(
            EffectRow(tenant.name, margins, each.in_force, tenant.margin, chart, each.conclusion)
        )
    return rows


def _sums(tenants: Sequence[TenantSensitivity[UUID]]) -> list[Decimal]:
    return [sum((each.by_driver[driver] for each in tenants), ZERO) for driver in MEASURED]
