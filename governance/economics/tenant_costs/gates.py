"""The rollout gate on the cost of a completed task of the AI system, at list prices."""

from collections.abc import Iterator
from decimal import Decimal

from governance.economics.formulas.money import unit_money
from governance.economics.rates.conversion import provisional_phrase
from governance.economics.tenant_costs import permissions, queries, system_costs
from governance.economics.tenant_costs.queries import SystemMonth
from governance.economics.tenant_costs.system_costs import TaskCost
from governance.economics.usage import usage_list
from governance.kernel.formatting import plural
from governance.operations.gates.gates import Gate, GateReading, GateSubject, GateVerdict

MOST = Decimal("1.2")  # × the earlier cost of a task
MIN_TASKS = 100  # per month, for a meaningful cost


def _cost(subject: GateSubject) -> Iterator[GateReading]:
    """Compare this month with the newest month before; yield nothing if no month has a cost."""
    month = usage_list.this_month()
    months = queries.system_costs(subject.system_id, month.plus(-system_costs.COMPARED), month)
    costs = system_costs.of_months(months)
    if not costs and all(each.currency is None for each in months):
        return
    earlier = next((each for each in reversed(costs) if each.month < month), None)
    present = next((each for each in costs if each.month == month), None)
    now = next((each for each in months if each.month == month), None)
    verdict, why = _judged(present, earlier, now)
    rates = provisional_phrase(now.provisional) if now else ""
    needs, before = "at most 20% more than before", ""
    if earlier is not None:
        needs = f"at most {unit_money(earlier.amount * MOST, earlier.currency)}"
        before = f", {unit_money(earlier.amount, earlier.currency)} in {earlier.month.long_name}"
    yield GateReading(
        name="Cost per completed task",
        verdict=verdict,
        needs=needs,
        figure="none" if present is None else unit_money(present.amount, present.currency),
        detail=(why or f"in {month.long_name}{before}")
        + (f"; provisional: {rates}" if rates else ""),
        n=f"{present.tasks:,}" if present else "0",
        link=("tenant_costs.of_system", {"system_key": subject.system}),
        counts_everything=True,
        needs_permission=permissions.VIEW,
    )


def _judged(
    present: TaskCost | None, earlier: TaskCost | None, month: SystemMonth | None
) -> tuple[GateVerdict, str]:
    """Return the verdict, and the reason if it is undecided."""
    if month is not None and month.total.unpriced:
        return "undecided", f"{plural(month.total.unpriced, 'request')} without a price"
    if present is None:
        return "missing", "no completed task has a cost this month"
    if earlier is None:
        return "undecided", "no earlier month to compare with"
    least = min(present.tasks, earlier.tasks)
    if least < MIN_TASKS:
        return "undecided", f"{plural(MIN_TASKS - least, 'more task')} needed"
    return ("fail" if present.amount > earlier.amount * MOST else "pass"), ""


COST = Gate(key="task_cost", kind="signal", topic="cost", read=_cost)
