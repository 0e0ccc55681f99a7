"""A tenant's own cost and adoption, and the operator's decision to show list prices."""

from functools import partial

from flask import flash, redirect, url_for

from governance.economics.formulas.money import unit_money
from governance.economics.rates.conversion import provisional_phrase
from governance.economics.tenant_costs import actions, cost_figures, cost_page, permissions, queries
from governance.economics.tenant_costs.cost_figures import TenantCosts
from governance.economics.tenant_costs.queries import MonthCosts
from governance.economics.usage import queries as usage
from governance.economics.usage import usage_list
from governance.economics.usage.active_users import ActiveUsers, active_users, days_so_far
from governance.economics.usage.completed_tasks import completed_tasks
from governance.economics.usage.feature_adoption import feature_starts
from governance.kernel import current
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.months import Month
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("tenant_costs", __name__, counts_everything=True)
operator_feature = Feature("operator_list_prices", __name__, scope="operator")
SHARING = "/economics/prices/tenants"
RETENTION_MONTHS = 3  # required by feature_starts; the page doesn't show who stays


@feature.get("/economics/cost", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show the cost of a month's usage at list prices, and its users."""
    month = usage_list.asked_month()
    active = active_users(month)
    found, name = queries.month_costs(month), usage_list.month_name(month)
    costs = _costs(found, month, active)
    return page(
        "economics/tenant_costs/index.html",
        costs=costs,
        is_shared=costs is not None or queries.has_list_prices(),
        month=name,
        is_running=days_so_far(month) < month.last_day.day,
        asked_month=str(month),
        title=cost_page.headline(costs, found.total.requests, name),
        provisional_rates=provisional_phrase(costs.provisional) if costs else "",
        chart=cost_page.chart(costs, usage_list.days_of(month)) if costs else None,
        uses=cost_figures.feature_uses(active, feature_starts(month, after=RETENTION_MONTHS)),
        written=cost_page.written,
        reason=cost_page.reason,
        unit=partial(unit_money, currency=costs.currency) if costs else None,
        earlier=_address(month.plus(-1)),
        later=_address(month.plus(1)),
    )


def _costs(found: MonthCosts, month: Month, active: list[ActiveUsers]) -> TenantCosts | None:
    monthly = next((each.monthly for each in active if each.system is None), 0)
    return cost_figures.figures(found, completed_tasks(month), monthly)


def _address(month: Month) -> tuple[str, str] | None:
    """Return the name and address of an adjacent month; None if no usage is in that direction."""
    known = usage.months_with_usage()
    if known is None or not Month.of(known[0]) <= month <= Month.of(known[1]):
        return None
    return usage_list.month_name(month), url_for("tenant_costs.index", month=str(month))


@feature.get("/economics/cost.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Export the month by day, by feature and by model."""
    month = usage_list.asked_month()
    costs = _costs(queries.month_costs(month), month, active_users(month))
    content = csv_bytes(cost_page.HEAD, cost_page.cells(costs) if costs else [])
    return table_file(content, f"cost-{current.actor().tenant_slug}-{month}.csv")


# ---- the operator's decision


@operator_feature.get(SHARING, needs=permissions.SHARE)
def sharing() -> ResponseReturnValue:
    """Show whether tenants see list prices."""
    return page("economics/tenant_costs/sharing.html", is_shared=queries.is_shared())


@operator_feature.post(f"{SHARING}/share", needs=permissions.SHARE)
def share() -> ResponseReturnValue:
    actions.share(is_shared=True)
    flash("Tenants see list prices now. Their pages follow within a minute.")
    return redirect(url_for("operator_list_prices.sharing"), 303)


@operator_feature.post(f"{SHARING}/hide", needs=permissions.SHARE)
def hide() -> ResponseReturnValue:
    actions.share(is_shared=False)
    flash("Tenants see no prices any more. Their pages follow within a minute.")
    return redirect(url_for("operator_list_prices.sharing"), 303)
