"""The cost of one AI system at list prices, month by month. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from markupsafe import Markup

from governance.economics.formulas import unit_cost
from governance.economics.formulas.money import MINUS, money, rounded_together, unit_money
from governance.economics.rates.conversion import ProvisionalRate
from governance.economics.tenant_costs.cost_figures import CostRow, known, whole
from governance.economics.tenant_costs.queries import CostSum, SystemMonth
from governance.kernel.months import Month
from governance.kernel.pictures import charts

MONTHS = 13  # for which list prices are kept
COMPARED = 3  # months back
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class TaskCost:
    """The cost of a completed task in a month. `rate_month` is the month of a provisional rate."""

    month: Month
    currency: str
    amount: Decimal
    cost: Decimal
    tasks: int
    rate_month: Month | None = None


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month with its amounts as text, "" without a price or a completed task."""

    month: Month
    requests: int
    unpriced: int
    tasks: int
    cost: str
    per_task: str
    rates_of: str  # the month of the provisional rate


@dataclass(frozen=True, slots=True)
class SystemCosts:
    """One month of an AI system; amounts of features and of models each add up to `total`."""

    currency: str
    total: Decimal
    requests: int
    unpriced: int
    tasks: int
    per_request: Decimal | None
    per_task: Decimal | None
    features: Sequence[CostRow]
    models: Sequence[CostRow]
    provisional: Sequence[ProvisionalRate] = ()


def task_costs(
    months: Iterable[tuple[Month, str | None, Decimal, int, Month | None]],
) -> list[TaskCost]:
    """Return the cost of a task in the months that have a price and a task, the earliest first.

    Months in another currency than the newest one are left out.
    """
    found = [
        TaskCost(month, currency, amount, cost, tasks, rate_month)
        for month, currency, cost, tasks, rate_month in months
        if currency is not None
        and (amount := known(unit_cost.cost_per_completed_task(cost, tasks))) is not None
    ]
    return [each for each in found if each.currency == found[-1].currency]


def of_months(months: Iterable[SystemMonth]) -> list[TaskCost]:
    """Return the cost of a task by month, without months whose cost is partly unknown."""
    return task_costs(
        (
            each.month,
            each.currency,
            each.total.cost,
            each.all_tasks,
            max((rate.rate_month for rate in each.provisional), default=None),
        )
        for each in months
        if not each.total.unpriced
    )


def change(costs: Sequence[TaskCost]) -> tuple[str, Month] | None:
    """Return the change, such as "+11%", and the month it is compared with.

    That is the month COMPARED months back, or the earliest one since then.
    """
    earlier = [each for each in costs[:-1] if each.month >= costs[-1].month.plus(-COMPARED)]
    if not earlier or not earlier[0].amount:
        return None
    percent = round((costs[-1].amount / earlier[0].amount - 1) * HUNDRED)
    sign = "+" if percent > 0 else MINUS if percent < 0 else ""
    return f"{sign}{abs(percent)}%", earlier[0].month


def title(costs: Sequence[TaskCost]) -> str:
    """Return a title such as "A completed task costs €0.13, up 11% since August 2026"."""
    newest = costs[-1]
    words = f"A completed task costs {unit_money(newest.amount, newest.currency)}"
    if newest.rate_month is not None:
        words += f" at the provisional rate of {newest.rate_month.long_name}"
    if (found := change(costs)) is None:
        return words
    since = found[1].long_name
    if found[0] == "0%":
        return f"{words}, as in {since}"
    way = "up" if found[0].startswith("+") else "down"
    return f"{words}, {way} {found[0].lstrip('+' + MINUS)} since {since}"


def picture(costs: Sequence[TaskCost]) -> Markup:
    """Return a chart of the cost of a completed task in each month."""
    small = max(each.amount for each in costs) < 1
    values = [float(each.amount * HUNDRED if small else each.amount) for each in costs]
    unit = "cents" if small else costs[-1].currency
    return charts.lines(
        [charts.Series(unit, values)],
        [f"{each.month.first_day:%b}" for each in costs],
        title(costs),
    )


def month_rows(months: Sequence[SystemMonth]) -> list[MonthRow]:
    """Return the months, the newest first."""
    return [
        MonthRow(
            each.month,
            each.total.requests,
            each.total.unpriced,
            each.all_tasks,
            *_written(each.total, each.all_tasks, each.currency),
            "; ".join(rate.rate_month.long_name for rate in each.provisional),
        )
        for each in reversed(months)
    ]


def _written(total: CostSum, tasks: int, currency: str | None) -> tuple[str, str]:
    """Return the cost, and the cost of a completed task, as text."""
    if currency is None:
        return "", ""
    per_task = known(whole(total, unit_cost.cost_per_completed_task(total.cost, tasks)))
    at_least = "at least " if total.unpriced else ""
    return at_least + money(total.cost, currency), "" if per_task is None else unit_money(
        per_task, currency
    )


def figures(month: SystemMonth) -> SystemCosts | None:
    """Return the figures of one month, or None if nothing has a price."""
    if month.currency is None:
        return None
    cost, priced = month.total.cost, month.total.requests - month.total.unpriced
    return SystemCosts(
        currency=month.currency,
        total=rounded_together([cost], month.currency)[0],
        requests=month.total.requests,
        unpriced=month.total.unpriced,
        tasks=month.all_tasks,
        per_request=known(unit_cost.cost_per_request(cost, priced)),
        per_task=known(
            whole(month.total, unit_cost.cost_per_completed_task(cost, month.all_tasks))
        ),
        features=_rows(month.features, month.currency, month.tasks),
        models=_rows(month.models, month.currency, {}),
        provisional=month.provisional,
    )


def _rows(sums: Sequence[CostSum], currency: str, tasks: dict[str, int]) -> list[CostRow]:
    amounts = rounded_together([each.cost for each in sums], currency)
    return [
        CostRow(
            each,
            amount,
            tasks.get(each.feature, 0),
            known(
                whole(
                    each, unit_cost.cost_per_completed_task(each.cost, tasks.get(each.feature, 0))
                )
            ),
        )
        for each, amount in zip(sums, amounts, strict=True)
    ]


def headline(costs: SystemCosts | None, requests: int, month: str) -> str:
    """Return a headline such as "€312.40 in October 2026"."""
    if costs is None:
        return f"Cost of {month} is unknown" if requests else f"No cost in {month}"
    return f"{'At least ' if costs.unpriced else ''}{money(costs.total, costs.currency)} in {month}"
