"""The cost parts of an AI system's pages: a figure, a chart and a tab, if list prices are shown."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, bindparam, column, exists, literal, select, text

from governance.economics.formulas.money import unit_money
from governance.economics.tenant_costs import permissions, queries, system_costs
from governance.economics.tenant_costs.models import LIST_PRICES
from governance.economics.usage import usage_list
from governance.economics.usage.models import TASKS
from governance.kernel import current
from governance.kernel.months import Month
from governance.operations.systems.models import AISystem
from governance.operations.systems.parts import (
    Figure,
    SystemChart,
    SystemFigure,
    SystemTab,
    TrendChart,
)

HEAD = ("Month", "Cost of a task", "Completed tasks", "Cost")


def _has_cost(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select a row if usage of the system was counted and the operator shows its prices."""
    tenant = current.actor().tenant_id
    used = exists().where(TASKS.c.tenant_id == tenant, TASKS.c.system_id == system_id)
    priced = exists().where(LIST_PRICES.c.tenant_id == tenant)
    return select(literal("").label("note")).where(used, priced)


COST_TAB = SystemTab(
    label="Cost",
    endpoint="tenant_costs.of_system",
    argument="system_key",
    permission=permissions.VIEW,
    order=80,
    content=_has_cost,
    counts_everything=True,
)


def _task_costs(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the newest months as text, such as "2026-10 EUR 131.20 1000;2026-11 …"."""
    last = usage_list.this_month()
    values = {
        "tenant": current.actor().tenant_id,
        "system": system_id,
        "first": last.plus(-system_costs.COMPARED).first_day,
        "last": last.last_day,
    }
    months = text(queries.TASK_COSTS).bindparams(
        *(bindparam(name, value) for name, value in values.items())
    )
    found = months.columns(column("months", Text)).subquery()
    return select(found.c.months, literal(""), literal("")).where(found.c.months.is_not(None))


def _cost(months: str, _second: str, _third: str) -> Figure:
    rows = [each.split(" ") for each in months.split(";")]
    costs = system_costs.task_costs(
        (
            Month.parse(month),
            currency,
            Decimal(cost),
            int(tasks),
            Month.parse(rate_month[0]) if rate_month else None,
        )
        for month, currency, cost, tasks, *rate_month in rows
    )
    newest, found = costs[-1], system_costs.change(costs)
    note = f"{found[0]} since {found[1].long_name}" if found else f"in {newest.month.long_name}"
    if newest.rate_month is not None:
        note += f", provisional: rate of {newest.rate_month.long_name}"
    return Figure(unit_money(newest.amount, newest.currency), note)


COST = SystemFigure(
    label="Cost per completed task",
    order=80,
    permission=permissions.VIEW,
    select=_task_costs,
    words=_cost,
    counts_everything=True,
)


def _draw(system: AISystem) -> Sequence[TrendChart]:
    last = usage_list.this_month()
    months = queries.system_costs(system.id, last.plus(1 - system_costs.MONTHS), last)
    costs = system_costs.of_months(months)
    if not costs:
        return ()
    return [
        TrendChart(
            title=system_costs.title(costs),
            note="At list prices by month, failed attempts included",
            picture=system_costs.picture(costs),
            head=HEAD,
            rows=[
                (
                    each.month.long_name
                    + (
                        f", provisional: rate of {each.rate_month.long_name}"
                        if each.rate_month
                        else ""
                    ),
                    unit_money(each.amount, each.currency),
                    f"{each.tasks:,}",
                    unit_money(each.cost, each.currency),
                )
                for each in reversed(costs)
            ],
        )
    ]


CHARTS = SystemChart(order=20, permission=permissions.VIEW, draw=_draw, counts_everything=True)
