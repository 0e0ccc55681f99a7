"""The operator's pages of rehearsals over all tenants."""

from collections import defaultdict
from fractions import Fraction
from typing import Any
from uuid import UUID

from flask import redirect, request, url_for
from wtforms import RadioField

from governance.kernel.months import Month
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.agreements import permissions, rehearsal_work
from governance.operations.agreements.credit_chart import CreditColumn, credit_columns
from governance.operations.agreements.models import AgreementRehearsal
from governance.operations.agreements.money import DIGITS, money
from governance.operations.agreements.rehearsal_pages import NAMES, month_name, points


class RehearsalForm(Form):
    terms = RadioField(
        "Terms", choices=list(rehearsal_work.TERMS.items()), default=rehearsal_work.OWN
    )


def register(feature: Feature, base: str) -> None:
    """Add the pages to the operator's blueprint."""
    feature.add_url_rule(
        f"{base}/",
        "rehearsals",
        rehearsals,
        methods=["GET", "POST"],
        needs=permissions.OPERATOR_VIEW,
    )
    feature.add_url_rule(
        f"{base}/<uuid:rehearsal_id>",
        "all_tenants",
        all_tenants,
        needs=permissions.OPERATOR_VIEW,
    )
    work_pages.add_routes(
        feature, rehearsal_work.REHEARSALS, f"{base}/<uuid:rehearsal_id>", rehearsal_work.run
    )


def rehearsals() -> ResponseReturnValue:
    """Show the latest rehearsals, and start one."""
    form, made = RehearsalForm(), list[AgreementRehearsal]()
    terms = form.terms.data or ""
    if request.method == "POST" and accepted(
        form, lambda: made.append(rehearsal_work.start(terms))
    ):
        there = url_for("operator_agreements.all_tenants", rehearsal_id=made[0].id)
        return redirect(there, 303)
    return page(
        "operations/agreements/rehearsals.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        latest=rehearsal_work.latest(),
        terms=rehearsal_work.TERMS,
    )


def all_tenants(rehearsal_id: UUID) -> ResponseReturnValue:
    run = rehearsal_work.run(rehearsal_id)
    return page(
        "operations/agreements/all_tenants.html",
        row=run.row,
        progress=work_pages.shown(run),
        terms=rehearsal_work.TERMS[run.row.terms],
        totals=_totals(run.row.result or {"rows": []}),
        rows=[_shown(each) for each in (run.row.result or {}).get("rows", [])],
    )


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    share = Fraction(row["credit"], row["fee"]) if row["fee"] else Fraction(0)
    return {
        **row,
        "credit": money(row["credit"], row["currency"]),
        "fee": money(row["fee"], row["currency"]),
        "share": points(share),
        "is_due": row["credit"] > 0,
    }


def _totals(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one total per currency: sums, and the credits of its months."""
    by_currency: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in result["rows"]:
        by_currency[row["currency"]].append(row)
    return [_total(currency, rows) for currency, rows in sorted(by_currency.items())]


def _total(currency: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    months: dict[Month, list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in rows:
        for name, credit, fee, is_known in row["months"]:
            sums = months[Month.parse(name)]
            sums[0], sums[1], sums[2] = sums[0] + credit, sums[1] + fee, sums[2] + is_known
    credit = sum(row["credit"] for row in rows)
    fee = sum(row["fee"] for row in rows)
    unit = 10 ** DIGITS.get(currency, 2)
    items = [
        CreditColumn(NAMES[month.number - 1], sums[0] / unit, is_known=sums[2] > 0)
        for month, sums in sorted(months.items())
    ]
    title = f"{money(credit, currency)} of credits over 13 months, all tenants ({currency})"
    return {
        "currency": currency,
        "credit": money(credit, currency),
        "fee": money(fee, currency),
        "share": points(Fraction(credit, fee) if fee else Fraction(0)),
        "chart": credit_columns(items, title),
        "months": [
            {
                "name": month_name(month),
                "credit": money(sums[0], currency),
                "share": points(Fraction(sums[0], sums[1]) if sums[1] else Fraction(0)),
            }
            for month, sums in sorted(months.items(), reverse=True)
        ],
    }
