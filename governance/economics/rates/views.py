"""The operator's page of exchange rates."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, DecimalException
from typing import Any

from flask import flash, redirect, request, url_for

from governance.economics.rates import actions, permissions, queries
from governance.economics.rates.conversion import MonthRates
from governance.economics.rates.forms import RateForm, ReportingCurrencyForm
from governance.economics.rates.models import ExchangeRate
from governance.economics.rates.ports import closed_months
from governance.kernel.errors import Invalid
from governance.kernel.formatting import plural
from governance.kernel.months import Month
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("operator_rates", __name__, scope="operator")
PATH = "/economics/rates"
MONTHS_SHOWN = 18


@feature.get(PATH, needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show rates by month and currency. The query string may select one to replace."""
    form = RateForm(**_asked())
    return _page(form, ReportingCurrencyForm(reporting_currency=queries.reporting_currency()))


def _asked() -> dict[str, Any]:
    """Return the form values for the month and currency in the query string, with the current rate."""
    try:
        month = Month.parse(request.args.get("month", ""))
    except ValueError:
        return {"month": actions.present_month()}
    currency = request.args.get("currency", "")
    found = queries.entered_rate(month, currency)
    there = {"rate": plain_rate(found.rate), "source": found.source} if found else {}
    return {"month": month, "currency": currency, **there}


@feature.post(PATH, needs=permissions.EDIT)
def enter() -> ResponseReturnValue:
    """Enter or correct the rate of a month."""
    form, before = RateForm(), list[str]()

    def act() -> None:
        found = queries.entered_rate(form.month.data, form.currency.data)
        before.extend([plain_rate(found.rate), found.source] if found else [])
        actions.enter_rate(
            form.month.data,
            form.currency.data,
            _read_rate(form.rate.data or ""),
            source=form.source.data or "",
        )

    if not accepted(form, act):
        settings = ReportingCurrencyForm()
        settings.process(None, reporting_currency=queries.reporting_currency())
        return _page(form, settings, status=form.status)
    flash(_said(form, before))
    return redirect(url_for("operator_rates.index"), 303)


def _said(form: RateForm, before: Sequence[str]) -> str:
    """Return the message after saving: whether the rate is new, corrected or unchanged.

    It also warns if the month is closed.
    """
    month, currency = form.month.data, form.currency.data
    name = f"The rate of {currency} in {month.long_name}"
    now = plain_rate(_read_rate(form.rate.data or ""))
    if before == [now, (form.source.data or "").strip()]:
        return f"{name} is {now} already. Nothing was changed."
    if not before:
        said = f"{name} was saved."
    elif before[0] == now:
        said = f"The source of {name[0].lower()}{name[1:]} was corrected."
    else:
        said = f"{name} was corrected from {before[0]} to {now}."
    if month in closed_months()():
        said += f" {month.long_name} is closed and keeps its figures. Reopen it to restate them."
    return said


@feature.post(f"{PATH}/reporting-currency", needs=permissions.EDIT)
def change_reporting_currency() -> ResponseReturnValue:
    """Change the currency of totals."""
    form = ReportingCurrencyForm()
    chosen = form.reporting_currency.data or ""
    if not accepted(form, lambda: actions.change_reporting_currency(chosen)):
        rate = RateForm()
        rate.process(None, month=actions.present_month())
        return _page(rate, form, status=form.status)
    flash(f"Totals are in {chosen} now. Check the rates of earlier months.")
    return redirect(url_for("operator_rates.index"), 303)


def _page(
    form: RateForm, settings: ReportingCurrencyForm, *, status: int = 200
) -> ResponseReturnValue:
    rows = queries.entered_rates()
    months = _months(rows)
    currencies = sorted({row.currency for row in rows})
    rates = {(row.month, row.currency): row for row in rows}
    missing = queries.missing_rates(rows, months)
    return page(
        "economics/rates/index.html",
        status=status,
        form=form,
        settings=settings,
        reporting=queries.reporting_currency(),
        months=months,
        missing=missing,
        provisional=_provisional(queries.months_rates(months), missing),
        currencies=currencies,
        rates=rates,
        plain_rate=plain_rate,
        title=_title(currencies, months, len(missing)),
    )


def _months(rows: Sequence[ExchangeRate]) -> list[Month]:
    """Return the months from the current one back to the earliest rate, at most 18."""
    if not rows:
        return []
    present, first = actions.present_month(), Month.parse(rows[-1].month)
    months = [present.plus(-back) for back in range(MONTHS_SHOWN)]
    return [month for month in months if month >= first]


def _provisional(
    rates: Mapping[Month, MonthRates], missing: Sequence[tuple[Month, str]]
) -> dict[tuple[Month, str], tuple[str, str]]:
    """Return the rate used instead of each missing one, and the name of its month."""
    found = {key: rates[key[0]].earlier[key[1]] for key in missing}
    return {key: (plain_rate(rate), month.long_name) for key, (month, rate) in found.items()}


def _title(currencies: Sequence[str], months: Sequence[Month], missing: int) -> str:
    if not currencies:
        return "No exchange rates yet"
    shown = f"{plural(len(currencies), 'currency', 'currencies')} in {plural(len(months), 'month')}"
    if missing:
        return f"{plural(missing, 'rate')} {'is' if missing == 1 else 'are'} missing: {shown}"
    return f"No rate is missing: {shown}"


def plain_rate(rate: Decimal) -> str:
    """Return "0.9207": every digit, without trailing zeros."""
    return f"{rate.normalize():f}"


def _read_rate(text: str) -> Decimal:
    try:
        return Decimal(text.strip().replace(",", ""))
    except DecimalException as error:
        raise Invalid(
            f"“{text.strip()[:40]}” isn't a rate. Enter one such as 0.9207.", field="rate"
        ) from error
