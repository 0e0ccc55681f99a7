"""Queries of budgets with their spend and forecast, in the reporting currency.

budgets() · budget(id) · alerts(budget_id) · notice(id)
scopes()                possible scopes of a budget: customers, their AI systems and features
outlooks(budgets)       spend and forecast of each, in the same few statements for all
today()                 the operator's current date
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple, cast
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from governance.economics.budgets.models import CostBudget, CostBudgetAlert, CostBudgetNotice
from governance.economics.budgets.outlook import (
    ZERO,
    Outlook,
    UnpricedUsage,
    Window,
    first_day_needed,
    outlook,
)
from governance.economics.prices.models import USAGE_COSTS
from governance.economics.rates.conversion import MissingRate, MonthRates, ProvisionalRate
from governance.economics.rates.queries import months_rates
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.months import Month

COSTS = USAGE_COSTS.c


class _UsageRow(NamedTuple):
    """The usage of a customer's feature and model on a day. `currency` is None without a price."""

    customer_id: UUID
    system_id: UUID
    feature: str
    day: date
    provider: str
    model: str
    currency: str | None
    cost: Decimal
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class BudgetScope:
    """The scope of a budget: a customer, one of its AI systems, or a feature."""

    customer_id: UUID
    customer: str
    system_id: UUID | None = None
    system: str = ""
    feature: str = ""

    @property
    def key(self) -> str:
        """The value of the scope in a form."""
        return f"{self.customer_id}/{self.system_id or ''}/{self.feature}"

    @property
    def label(self) -> str:
        parts = (self.customer, self.system or "all AI systems", self.feature)
        return " · ".join(each for each in parts if each)


def today() -> date:
    """Return the current date in the operator's time zone, in which days of cost are counted."""
    return clock.now().astimezone(ZoneInfo(operator_time_zone())).date()


def budgets() -> Sequence[CostBudget]:
    """Return the budgets that weren't removed, by name."""
    query = select(CostBudget).where(CostBudget.removed_at.is_(None))
    return session().scalars(query.order_by(CostBudget.name, CostBudget.id)).all()


def budget(budget_id: UUID, *, lock: bool = False) -> CostBudget:
    """Return a budget. Raises NotFound."""
    return find(CostBudget, budget_id, what="budget", lock=lock)


def alerts(budget_id: UUID) -> Sequence[CostBudgetAlert]:
    """Return the alerts of a budget, the newest first."""
    query = select(CostBudgetAlert).where(CostBudgetAlert.budget_id == budget_id)
    return session().scalars(query.order_by(CostBudgetAlert.created_at.desc())).all()


def untold_alerts() -> Sequence[tuple[CostBudgetAlert, CostBudget]]:
    """Return alerts whose customer wasn't notified yet, the oldest first."""
    query = (
        select(CostBudgetAlert, CostBudget)
        .join(CostBudget, CostBudget.id == CostBudgetAlert.budget_id)
        .where(CostBudgetAlert.told_at.is_(None))
        .order_by(CostBudgetAlert.created_at)
    )
    return [(row[0], row[1]) for row in session().execute(query)]


def notice(notice_id: UUID, *, lock: bool = False) -> CostBudgetNotice:
    """Return a notice of this tenant. Raises NotFound for another tenant's."""
    return find(CostBudgetNotice, notice_id, what="notice", lock=lock)


def customer_names() -> dict[UUID, str]:
    query = select(Tenant.id, Tenant.name).where(Tenant.kind == "customer")
    return {row.id: row.name for row in session().execute(query.order_by(Tenant.name))}


def scopes() -> list[BudgetScope]:
    """Return every customer, and each of their AI systems and features with usage cost."""
    columns = (COSTS.customer_id, COSTS.system_id, COSTS.system, COSTS.feature)
    query = select(*columns).where(COSTS.tenant_id == current.actor().tenant_id).distinct()
    names, found = customer_names(), set[BudgetScope]()
    for row in session().execute(query):
        name = names.get(row.customer_id, "")
        found.add(BudgetScope(row.customer_id, name, row.system_id, row.system))
        found.add(BudgetScope(row.customer_id, name, row.system_id, row.system, row.feature))
    whole = [BudgetScope(customer_id, name) for customer_id, name in names.items()]
    return sorted([*whole, *found], key=lambda each: each.label.casefold())


def outlooks(rows: Sequence[CostBudget], day: date) -> dict[UUID, Outlook | MissingRate]:
    """Return each budget's spend and forecast on that day, or the MissingRate that prevents it."""
    if not rows:
        return {}
    first = min(first_day_needed(cast("Window", each.window), day) for each in rows)
    usage = _usage({each.customer_id for each in rows}, first, day)
    rates = months_rates({Month.of(day)} | {Month.of(each.day) for each in usage})
    return {each.id: _outlook(each, usage, rates, day) for each in rows}


def _outlook(
    row: CostBudget, usage: Sequence[_UsageRow], rates: Mapping[Month, MonthRates], day: date
) -> Outlook | MissingRate:
    noted = set[ProvisionalRate]()
    own = {month: replace(each, noted=noted) for month, each in rates.items()}
    window = cast("Window", row.window)
    mine = [
        each
        for each in usage
        if each.customer_id == row.customer_id
        and row.system_id in {None, each.system_id}
        and row.feature in {"", each.feature}
        and each.day >= first_day_needed(window, day)
    ]
    costs: dict[date, Decimal] = defaultdict(lambda: ZERO)
    try:
        for each in mine:
            if each.currency is not None:
                costs[each.day] += own[Month.of(each.day)].convert(each.cost, each.currency)
        amount = own[Month.of(day)].convert(row.amount, row.currency)
    except MissingRate as error:
        return error
    found = outlook(window, amount, costs, day, row.starts_on)
    unpriced = _unpriced(each for each in mine if each.day >= found.period.first)
    return replace(found, unpriced=unpriced, provisional=sorted(noted))


def _unpriced(usage: Iterable[_UsageRow]) -> list[UnpricedUsage]:
    """Return usage without a price by model, the most requests first."""
    found: dict[tuple[str, str], UnpricedUsage] = {}
    for each in usage:
        if each.currency is None and each.requests:
            key = each.provider, each.model
            before = found.get(key, UnpricedUsage(*key, 0, 0))
            found[key] = UnpricedUsage(
                *key, before.requests + each.requests, before.tokens + each.tokens
            )
    return sorted(found.values(), key=lambda each: (-each.requests, each.model, each.provider))


def _usage(customer_ids: set[UUID], first: date, last: date) -> list[_UsageRow]:
    by = (
        COSTS.customer_id,
        COSTS.system_id,
        COSTS.feature,
        COSTS.day,
        COSTS.provider,
        COSTS.model,
        COSTS.currency,
    )
    tokens = sum((COSTS[f"{each}_tokens"] for each in BUCKETS[1:]), COSTS[f"{BUCKETS[0]}_tokens"])
    query = select(*by, func.sum(COSTS.cost), func.sum(COSTS.requests), func.sum(tokens)).where(
        COSTS.tenant_id == current.actor().tenant_id,
        COSTS.customer_id.in_(customer_ids),
        COSTS.day.between(first, last),
    )
    return [
        _UsageRow(*row[:8], requests=int(row[8]), tokens=int(row[9]))
        for row in session().execute(query.group_by(*by))
    ]
