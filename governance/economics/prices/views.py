"""The operator's pages of the price book."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for

from governance.economics.prices import (
    actions,
    cost_queries,
    permissions,
    price_list,
    queries,
    restatement_actions,
    restatement_approval,
    restatements,
)
from governance.economics.prices.forms import PriceForm, RestatementForm
from governance.economics.prices.models import Price
from governance.economics.prices.price_list import HEAD, PRICES
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.queries import all_tenants, operator_time_zone
from governance.kernel import clock
from governance.kernel.days import parse_month
from governance.kernel.errors import Invalid
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.months import Month
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("operator_prices", __name__, scope="operator")
PATH = "/economics/prices"
MAX_ASKED_LENGTH = 120


@feature.get(f"{PATH}/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show models in use without a price, then the price of every model."""
    asked, rows = PRICES.read(), queries.book(_today())
    found = price_list.matching(rows, asked)
    shown = one_page(found, asked, lambda row: str(row.id))
    unpriced = cost_queries.unpriced_models()
    return page(
        "economics/prices/index.html",
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        matches=len(found),
        total=len(rows),
        unpriced=unpriced,
        title=price_list.headline(unpriced, len(rows)),
        price=price_list.shown_price,
        names=_names(),
        today=_today(),
    )


@feature.get(f"{PATH}/prices.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE)
def export(form: str) -> ResponseReturnValue:
    """Export the prices that match the filters."""
    names = _names()
    asked = PRICES.read()
    found = price_list.matching(queries.book(_today()), asked)
    # every digit, or a number to calculate with
    written = "{:f}".format if form == "csv" else float
    table = [price_list.cells(row, names, written) for row in found]
    head, rows = chosen(asked, HEAD, table)
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Prices", head, rows)
    return table_file(content, f"prices-{_today():%Y-%m-%d}.{form}")


@feature.get(f"{PATH}/<uuid:price_id>", needs=permissions.VIEW)
def price(price_id: UUID) -> ResponseReturnValue:
    """Show every price of a model, the newest first."""
    found = queries.price(price_id)
    history = queries.history(found.match_key)
    return page(
        "economics/prices/price.html",
        found=found,
        history=history,
        until=_until(history),
        buckets=BUCKETS,
        price=price_list.shown_price,
        names=_names(),
        today=_today(),
    )


def _until(history: Sequence[Price]) -> dict[UUID, date]:
    """Return the day on which each superseded price ends."""
    found, later = {}, dict[UUID | None, date]()
    for row in history:
        if row.customer_id in later:
            found[row.id] = later[row.customer_id]
        later[row.customer_id] = row.effective_from
    return found


@feature.route(f"{PATH}/new", methods=["GET", "POST"], needs=permissions.EDIT)
def new() -> ResponseReturnValue:
    """Add a price; the address may name the model."""
    form = PriceForm(
        provider=request.args.get("provider", "")[:MAX_ASKED_LENGTH],
        model=request.args.get("model", "")[:MAX_ASKED_LENGTH],
        effective_from=_today(),
    )
    added: list[Price] = []
    if request.method == "POST" and accepted(
        form, lambda: added.append(actions.add_price(form.terms()))
    ):
        flash(f"The price of {added[0].model} was added. Usage without one gets it in a minute.")
        return redirect(url_for("operator_prices.price", price_id=added[0].id), 303)
    status = form.status if form.problems else 200
    return page("economics/prices/new.html", status=status, form=form)


@feature.route(
    f"{PATH}/<uuid:price_id>/restate", methods=["GET", "POST"], needs=permissions.RESTATE
)
def restate(price_id: UUID) -> ResponseReturnValue:
    """Show the cost of a model's usage at the current book prices, and request to restate it."""
    found, form = queries.price(price_id), RestatementForm(**_asked_months())
    if request.method == "POST" and accepted(
        form,
        lambda: restatement_actions.request(
            found, form.first_month.data, form.last_month.data, reason=form.reason.data or ""
        ),
    ):
        flash("Another person was asked to approve the restatement.")
        return redirect(url_for("operator_prices.price", price_id=price_id), 303)
    months = form.first_month.data, form.last_month.data
    return page(
        "economics/prices/restate.html",
        status=form.status if form.problems else 200,
        found=found,
        form=form,
        changes=restatements.changes(found.match_key, *months) if _are_months(*months) else None,
        amounts=restatement_approval.amounts,
    )


def _asked_months() -> dict[str, Month]:
    """Return the months in the address, by default the current month."""
    present = Month.of(_today())
    found = {}
    for name in ("first_month", "last_month"):
        try:
            found[name] = parse_month(request.args.get(name, str(present)))
        except Invalid:
            found[name] = present
    return found


def _are_months(first: Month | None, last: Month | None) -> bool:
    if first is None or last is None:
        return False
    try:
        restatement_actions.check_months(first, last)
    except Invalid:
        return False
    return True


def _names() -> dict[UUID, str]:
    return {each.id: each.name for each in all_tenants()}


def _today() -> date:
    return clock.now().astimezone(ZoneInfo(operator_time_zone())).date()
