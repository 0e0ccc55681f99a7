"""The operator's pages of revenue: a month, an account, and the list of segments."""

from datetime import date
from typing import Any, cast
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.economics.formulas.money import money, short_money
from governance.economics.rates import queries as rates
from governance.economics.rates.actions import present_month
from governance.economics.rates.conversion import MissingRate, provisional_phrase
from governance.economics.revenue import (
    account_actions,
    account_page,
    movement_chart,
    permissions,
    queries,
    revenue_list,
)
from governance.economics.revenue.forms import AccountForm, SegmentsForm
from governance.economics.revenue.models import Account
from governance.economics.revenue.revenue_list import ACCOUNTS, HEAD, RevenueMonth
from governance.kernel.data.db import find
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.months import Month
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import ListRequest, one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.pictures import charts
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

operator_feature = Feature("operator_revenue", __name__, scope="operator")
BASE = "/economics/revenue"
BOTH = ["GET", "POST"]


@operator_feature.get(f"{BASE}/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show a month's MRR beside its invoiced revenue, its movements, and the accounts."""
    asked, month = ACCOUNTS.read(), revenue_list.asked_month()
    currency, now = rates.reporting_currency(), present_month()
    try:
        with rates.provisional_rates() as used:
            figures = _figures(revenue_list.read_month(month), asked, currency)
    except MissingRate as error:
        figures = {"missing": error.message, "title": "A rate is missing"}
    return page(
        "economics/revenue/index.html",
        asked=asked,
        month=month.long_name,
        currency=currency,
        money=money,
        short_money=short_money,
        earlier=_address(month.plus(-1)),
        later=_address(month.plus(1)) if month < now else None,
        provisional_rates=provisional_phrase(used),
        **figures,
    )


def _figures(shown: RevenueMonth, asked: ListRequest, currency: str) -> dict[str, Any]:
    found = revenue_list.matching(shown.rows, asked)
    listed = one_page(found, asked, lambda row: row.name)
    return {
        "rows": listed.rows,
        "next": listed.next,
        "matches": len(found),
        "total": len(shown.rows),
        "shown": shown,
        "title": revenue_list.headline(shown, currency),
        "growth": revenue_list.growth(shown.bridge),
        "movement_title": revenue_list.movement_title(shown, currency),
        "chart": movement_chart.chart(shown.bridges, currency) if shown.has_revenue else None,
        "key": movement_chart.key(),
        "mrr_line": charts.sparkline([float(each.end) for each in shown.bridges], "MRR"),
        "invoiced_line": charts.sparkline([float(each) for each in shown.invoiced], "Invoiced"),
    }


def _address(month: Month) -> tuple[str, str]:
    """Return the name and address of a month."""
    return (
        month.long_name,
        url_for("operator_revenue.index", month=str(month)),
    )


@operator_feature.get(
    f"{BASE}/accounts.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE
)
def export(form: str) -> ResponseReturnValue:
    """Export every account that matches the filters."""
    asked, month = ACCOUNTS.read(), revenue_list.asked_month()
    currency = rates.reporting_currency()
    with rates.provisional_rates() as used:
        found = revenue_list.matching(revenue_list.read_month(month).rows, asked)
    phrase = provisional_phrase(each for each in used if each.month == month)
    table = [revenue_list.cells(row, currency, phrase) for row in found]
    head, rows = chosen(asked, HEAD, table)
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Accounts", head, rows)
    return table_file(content, f"accounts-{month}.{form}")


@operator_feature.get(f"{BASE}/accounts/<uuid:customer_id>", needs=permissions.VIEW)
def account(customer_id: UUID) -> ResponseReturnValue:
    """Show a customer's subscriptions, invoices, and support cost."""
    with rates.provisional_rates() as used:
        shown = account_page.read(customer_id)
    return page(
        "economics/revenue/account.html",
        shown=shown,
        money=money,
        provisional_rates=provisional_phrase(used),
    )


@operator_feature.get(f"{BASE}/account/<uuid:account_id>", needs=permissions.VIEW)
def account_by_id(account_id: UUID) -> ResponseReturnValue:
    """Redirect from an account's id, which audit entries link to."""
    found = find(Account, account_id)
    return redirect(url_for("operator_revenue.account", customer_id=found.customer_id), 302)


@operator_feature.route(
    f"{BASE}/accounts/<uuid:customer_id>/edit", methods=BOTH, needs=permissions.EDIT
)
def edit_account(customer_id: UUID) -> ResponseReturnValue:
    """Change the segment, the seats, and when the customer was won and lost."""
    customer, found = queries.customer(customer_id), queries.account(customer_id)
    form = AccountForm(found)
    form.segment.choices = [(each, each) for each in queries.segments()]
    there = url_for("operator_revenue.account", customer_id=customer_id)

    def act() -> None:
        account_actions.save_account(
            customer_id,
            segment=form.segment.data,
            seats=form.seats.data or 0,
            won_on=cast("date", form.won_on.data),
            lost_on=form.lost_on.data,
            seen=form.mark.data,
        )

    if request.method == "POST" and accepted(form, act):
        flash(f"The account of {customer.name} was saved.")
        return redirect(there, 303)
    return page(
        "economics/revenue/edit_account.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        customer=customer,
        back=there,
    )


@operator_feature.route(f"{BASE}/segments", methods=BOTH, needs=permissions.EDIT)
def segments() -> ResponseReturnValue:
    """Change the list of segments."""
    form = SegmentsForm(segments="\n".join(queries.segments()))

    def act() -> None:
        account_actions.set_segments((form.segments.data or "").splitlines())

    if request.method == "POST" and accepted(form, act):
        flash("The segments were saved.")
        return redirect(url_for("operator_revenue.index"), 303)
    return page(
        "economics/revenue/segments.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
    )
