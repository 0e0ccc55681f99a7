"""The operator's cost pages: a month's lines, and the placement of charges."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import flash, redirect, request, url_for

from governance.economics.costs import (
    actions,
    cost_list,
    permissions,
    placing_actions,
    queries,
    reconciliation_queries,
)
from governance.economics.costs.cost_list import COSTS, HEAD, POOL_NAMES
from governance.economics.costs.forms import ANY, ManualLineForm, ModelNameForm, PoolRuleForm
from governance.economics.formulas.money import money, read_amount
from governance.economics.rates import queries as rates
from governance.economics.rates.conversion import MissingRate, provisional_phrase
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock
from governance.kernel.days import parse_month
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.months import Month
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("operator_costs", __name__, scope="operator")
PATH = "/economics/costs"


# ---- a month


@feature.get(PATH, needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show a month's cost by provider, pool and service."""
    month = _asked_month()
    form = ManualLineForm(month=month, currency=rates.reporting_currency())
    return _index(month, form)


def _asked_month() -> Month:
    text = request.args.get("month", "")
    return parse_month(text, field="month") if text else _present_month()


def _present_month() -> Month:
    return Month.of(clock.now().astimezone(ZoneInfo(operator_time_zone())).date())


def _index(month: Month, form: ManualLineForm, *, status: int = 200) -> ResponseReturnValue:
    asked = COSTS.read()
    rows = queries.grouped_lines(month)
    found = cost_list.matching(rows, asked)
    shown = one_page(found, asked, cost_list.name)
    totals, reporting = queries.month_totals(month), rates.reporting_currency()
    with rates.provisional_rates() as used:
        by_pool, missing = _pools(month)
    return page(
        "economics/costs/index.html",
        status=status,
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        matches=len(found),
        total=len(rows),
        month=month,
        title=cost_list.headline(totals, by_pool, reporting, month),
        totals=totals,
        by_pool=by_pool,
        missing=missing,
        provisional_rates=provisional_phrase(used),
        bills=queries.bills(month),
        reporting=reporting,
        pool_names=POOL_NAMES,
        money=money,
        form=form,
        earlier=_neighbour(month, -1),
        later=_neighbour(month, 1),
    )


def _pools(month: Month) -> tuple[Mapping[str, Decimal] | None, MissingRate | None]:
    """Return the month's pools, or the rate that is missing for them."""
    try:
        return queries.pools(month), None
    except MissingRate as error:
        return None, error


def _neighbour(month: Month, months: int) -> tuple[str, str] | None:
    """Return the name and address of an adjacent month; None if no cost is in that direction."""
    known = queries.months_with_costs()
    if known is None or not known[0] <= month.plus(months) <= max(known[1], _present_month()):
        return None
    other = month.plus(months)
    return other.long_name, url_for("operator_costs.index", month=str(other))


@feature.get(f"{PATH}.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE)
def export(form: str) -> ResponseReturnValue:
    """Export each line of the month that matches the filters, day by day."""
    asked, month = COSTS.read(), _asked_month()
    found = cost_list.matching_lines(queries.lines(month), asked)
    table = [cost_list.cells(row) for row in found]
    head, rows = chosen(asked, HEAD, table)
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Costs", head, rows)
    return table_file(content, f"costs-{month}.{form}")


@feature.post(f"{PATH}/lines", needs=permissions.EDIT)
def enter_line() -> ResponseReturnValue:
    """Add a manual cost to a month."""
    form = ManualLineForm()

    def act() -> None:
        actions.enter_line(
            form.month.data,
            provider=form.provider.data or "",
            pool=form.pool.data,
            amount=read_amount(
                form.amount.data or "", form.currency.data, field="amount", negative=True
            ),
            currency=form.currency.data,
            note=(form.note.data or "").strip(),
        )

    if not accepted(form, act):
        return _index(form.month.data or _present_month(), form, status=form.status)
    flash(f"The cost was added to {form.month.data.long_name}.")
    return redirect(url_for("operator_costs.index", month=str(form.month.data)), 303)


@feature.post(f"{PATH}/lines/<uuid:line_id>/remove", needs=permissions.EDIT)
def remove_line(line_id: UUID) -> ResponseReturnValue:
    """Remove a manual cost."""
    line = queries.manual_line(line_id)
    month = line.usage_month
    actions.remove_line(line)
    flash("The cost was removed. The audit log keeps it.")
    return redirect(url_for("operator_costs.index", month=month), 303)


# ---- placement of charges


@feature.get(f"{PATH}/placing", needs=permissions.VIEW)
def placing() -> ResponseReturnValue:
    """Show the pool rules and the names on invoices."""
    return _placing(PoolRuleForm(), ModelNameForm())


def _placing(
    rule_form: PoolRuleForm, name_form: ModelNameForm, *, status: int = 200
) -> ResponseReturnValue:
    rules = queries.pool_rules()
    return page(
        "economics/costs/placing.html",
        status=status,
        rules=rules,
        names=queries.model_names(),
        unmatched=_unmatched(),
        pool_names=POOL_NAMES,
        rule_form=rule_form,
        name_form=name_form,
    )


def _unmatched() -> list[tuple[str, str]]:
    """Return names on invoices of this month and the last that match no model of their usage."""
    found: set[tuple[str, str]] = set()
    for ago in (0, 1):
        month = _present_month().plus(-ago)
        known = reconciliation_queries.used_models(month)
        found.update(reconciliation_queries.unmatched_names(month, known))
    return sorted(found)


@feature.post(f"{PATH}/rules", needs=permissions.EDIT)
def add_rule() -> ResponseReturnValue:
    """Add a rule that places charges in a pool."""
    form = PoolRuleForm()

    def act() -> None:
        placing_actions.add_rule(
            form.position.data,
            provider=form.provider.data or ANY,
            service=form.service.data or ANY,
            resource=form.resource.data or ANY,
            pool=form.pool.data,
        )

    if not accepted(form, act):
        other = ModelNameForm()
        other.process(None)
        return _placing(form, other, status=form.status)
    flash("The rule was added. It applies to bills that are imported from now on.")
    return redirect(url_for("operator_costs.placing"), 303)


@feature.post(f"{PATH}/rules/<uuid:rule_id>/remove", needs=permissions.EDIT)
def remove_rule(rule_id: UUID) -> ResponseReturnValue:
    """Remove a rule."""
    placing_actions.remove_rule(queries.pool_rule(rule_id))
    flash("The rule was removed.")
    return redirect(url_for("operator_costs.placing"), 303)


@feature.post(f"{PATH}/names", needs=permissions.EDIT)
def match_name() -> ResponseReturnValue:
    """Map a name on invoices to a model."""
    form = ModelNameForm()

    def act() -> None:
        placing_actions.match_name(
            form.invoice_provider.data or "",
            form.invoice_model.data or "",
            provider=form.usage_provider.data or "",
            model=form.usage_model.data or "",
        )

    if not accepted(form, act):
        other = PoolRuleForm()
        other.process(None)
        return _placing(other, form, status=form.status)
    flash("The name is matched.")
    return redirect(url_for("operator_costs.placing"), 303)


@feature.post(f"{PATH}/names/<uuid:name_id>/remove", needs=permissions.EDIT)
def remove_name(name_id: UUID) -> ResponseReturnValue:
    """Remove a match of a name."""
    placing_actions.remove_name(queries.model_name(name_id))
    flash("The match was removed.")
    return redirect(url_for("operator_costs.placing"), 303)
