"""The page of one AI system's cost."""

from functools import partial

from flask import url_for

from governance.economics.formulas.money import unit_money
from governance.economics.rates.conversion import provisional_phrase
from governance.economics.tenant_costs import permissions, queries, system_costs
from governance.economics.tenant_costs.queries import SystemMonth
from governance.economics.tenant_costs.views import feature
from governance.economics.usage import usage_list
from governance.kernel.months import Month
from governance.kernel.pages.rendering import page
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems


@feature.get("/economics/cost/systems/<system_key>", needs=permissions.VIEW)
def of_system(system_key: str) -> ResponseReturnValue:
    """Show an AI system's cost in a month, by feature and model, and in the months before."""
    found, asked = systems.system(system_key), usage_list.asked_month()
    last = max(asked, usage_list.this_month())
    months = queries.system_costs(found.id, asked.plus(1 - system_costs.MONTHS), last)
    shown = [each for each in months if each.month <= asked]
    month = next((each for each in shown if each.month == asked), None)
    costs = system_costs.figures(month) if month else None
    trend = system_costs.of_months(shown)
    return page(
        "economics/tenant_costs/of_system.html",
        system=found,
        costs=costs,
        month=asked.long_name,
        title=system_costs.headline(costs, month.total.requests if month else 0, asked.long_name),
        provisional_rates=provisional_phrase(costs.provisional) if costs else "",
        is_shared=costs is not None or queries.has_list_prices(),
        chart=system_costs.picture(trend) if len(trend) > 1 else None,
        trend_title=system_costs.title(trend) if trend else "",
        rows=system_costs.month_rows(shown),
        unit=partial(unit_money, currency=costs.currency) if costs else None,
        earlier=_address(found.key, shown, asked.plus(-1)),
        later=_address(found.key, months, asked.plus(1)),
    )


def _address(key: str, months: list[SystemMonth], month: Month) -> tuple[str, str] | None:
    """Return the name and address of an adjacent month, or None if it has no usage."""
    if all(each.month != month for each in months):
        return None
    return month.long_name, url_for("tenant_costs.of_system", system_key=key, month=str(month))
