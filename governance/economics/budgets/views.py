"""The operator's pages of budgets, and the notice page in a customer's tenant."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for
from markupsafe import Markup

from governance.economics.budgets import actions, permissions, queries, wording
from governance.economics.budgets.forms import WINDOWS, BudgetForm, NewBudgetForm
from governance.economics.budgets.models import CostBudget
from governance.economics.budgets.outlook import Outlook
from governance.economics.budgets.queries import BudgetScope
from governance.economics.formulas.money import money, plain_amount
from governance.economics.rates.conversion import MissingRate
from governance.economics.rates.queries import reporting_currency
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.pictures import charts
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue

operator_feature = Feature("operator_budgets", __name__, scope="operator")
feature = Feature("budgets", __name__)
BASE = "/economics/budgets"
BOTH = ["GET", "POST"]
WARNS_FROM = 0.8  # of the amount


@dataclass(frozen=True, slots=True)
class ShownBudget:
    """A budget with its spend. `outlook` is None if a rate that it needs is missing."""

    row: CostBudget
    scope: str
    outlook: Outlook | None
    currency: str

    @property
    def is_known(self) -> bool:
        """Whether at least part of the usage has a price."""
        return self.outlook is not None and not self.outlook.is_unknown

    @property
    def at_least(self) -> str:
        """The prefix "at least " if usage without a price adds to the amount, else ""."""
        return "at least " if self.outlook and self.outlook.unpriced else ""

    @property
    def caveats(self) -> list[str]:
        """Sentences about provisional rates and usage without a price."""
        if self.outlook is None:
            return []
        rates = wording.provisional(self.outlook.provisional)
        return [*rates, *wording.unpriced(self.outlook.unpriced)]

    @property
    def window(self) -> str:
        return dict(WINDOWS)[self.row.window]

    @property
    def share(self) -> str:
        """Spend in percent of the amount, or "" if it is unknown."""
        return f"{self.outlook.spent_share * 100:,.0f}%" if self.outlook else ""

    @property
    def bar(self) -> Markup:
        share = float(self.outlook.spent_share) if self.outlook else 0.0
        kind = "f2" if share >= 1 else "warn" if share >= WARNS_FROM else "f1"
        return charts.share_bar(share, f"{self.share} spent", kind=kind)

    @property
    def state(self) -> tuple[str, str]:
        """The kind and label of the status badge."""
        if self.outlook is None:
            return "none", "Unknown"
        if self.outlook.spent_share >= 1:
            return "bad", "Spent"
        if self.outlook.forecast_share >= 1:
            return "due", "Forecast above"
        if self.outlook.is_unknown:
            return "none", "Unknown"
        if self.outlook.unpriced:
            return "none", f"At least {money(self.outlook.spent, self.currency)}"
        return "ok", "Within budget"


def _shown(rows: Sequence[CostBudget]) -> tuple[list[ShownBudget], str]:
    """Return the budgets, and sentences about missing rates."""
    names, currency = queries.customer_names(), reporting_currency()
    outlooks = queries.outlooks(rows, queries.today())
    known = {key: each for key, each in outlooks.items() if isinstance(each, Outlook)}
    missing = {each.message for each in outlooks.values() if isinstance(each, MissingRate)}
    found = [
        ShownBudget(
            each,
            BudgetScope(
                each.customer_id,
                names.get(each.customer_id, ""),
                each.system_id,
                each.system,
                each.feature,
            ).label,
            known.get(each.id),
            currency,
        )
        for each in rows
    ]
    return found, " ".join(sorted(missing))


@operator_feature.get(f"{BASE}/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show every budget with its spend and forecast."""
    shown, missing = _shown(queries.budgets())
    return page(
        "economics/budgets/index.html",
        shown=shown,
        missing=missing,
        title=_headline(shown),
        currency=reporting_currency(),
        money=money,
    )


def _headline(shown: Sequence[ShownBudget]) -> str:
    if not shown:
        return "No budgets yet"
    spent = sum(each.state[0] == "bad" for each in shown)
    above = sum(each.state[0] == "due" for each in shown)
    partial = sum(each.is_known and bool(each.at_least) for each in shown)
    provisional = sum(bool(each.outlook and each.outlook.provisional) for each in shown)
    counts = (
        (spent, "spent"),
        (above, "forecast to be exceeded"),
        (sum(not each.is_known for each in shown), "unknown"),
        (partial, "with usage that has no price"),
        (provisional, "provisional"),
    )
    if said := [f"{count} {state}" for count, state in counts if count]:
        return f"{plural(len(shown), 'budget')}: {', '.join(said)}"
    return f"{plural(len(shown), 'budget')}, all within their amount"


@operator_feature.route(f"{BASE}/new", methods=BOTH, needs=permissions.EDIT)
def new() -> ResponseReturnValue:
    """Create a budget."""
    form, made, currency = NewBudgetForm(), list[CostBudget](), reporting_currency()
    form.scope.choices = [(each.key, each.label) for each in queries.scopes()]

    def act() -> None:
        terms = form.terms(currency)
        made.append(actions.create(form.scope.data or "", form.window.data or "", terms))

    if request.method == "POST" and accepted(form, act):
        flash(f"The budget {made[0].name} was created.")
        return redirect(url_for("operator_budgets.budget", budget_id=made[0].id), 303)
    return _form_page(form, currency, None)


def _form_page(form: BudgetForm, currency: str, row: CostBudget | None) -> ResponseReturnValue:
    return page(
        "economics/budgets/form.html",
        status=form.status if request.method == "POST" else 200,
        form=form,
        currency=currency,
        row=row,
    )


@operator_feature.get(f"{BASE}/<uuid:budget_id>", needs=permissions.VIEW)
def budget(budget_id: UUID) -> ResponseReturnValue:
    """Show a budget with its forecast and alerts."""
    row = queries.budget(budget_id)
    (shown,), missing = _shown([row])
    return page(
        "economics/budgets/budget.html",
        shown=shown,
        row=row,
        missing=missing,
        alerts=queries.alerts(budget_id),
        wording=wording,
        money=money,
    )


@operator_feature.route(f"{BASE}/<uuid:budget_id>/edit", methods=BOTH, needs=permissions.EDIT)
def edit(budget_id: UUID) -> ResponseReturnValue:
    """Change the amount, the thresholds and whether the customer is notified."""
    row = queries.budget(budget_id)
    form = BudgetForm(**_present(row))
    if request.method == "POST" and accepted(
        form, lambda: actions.change(row, form.terms(row.currency), seen=form.mark.data)
    ):
        flash(f"The budget {row.name} was saved.")
        return redirect(url_for("operator_budgets.budget", budget_id=budget_id), 303)
    return _form_page(form, row.currency, row)


def _present(row: CostBudget) -> dict[str, Any]:
    return {
        "name": row.name,
        "amount": plain_amount(row.amount, row.currency),
        "actual_thresholds": ", ".join(str(each) for each in row.actual_thresholds),
        "forecast_thresholds": ", ".join(str(each) for each in row.forecast_thresholds),
        "tells_tenant": row.tells_tenant,
        "proposed_limit": "" if row.proposed_limit is None else str(row.proposed_limit),
        "proposed_models": "\n".join(row.proposed_models),
        "mark": row.mark,
    }


@operator_feature.post(f"{BASE}/<uuid:budget_id>/acknowledge", needs=permissions.EDIT)
def acknowledge(budget_id: UUID) -> ResponseReturnValue:
    """Acknowledge the open alerts of a budget."""
    count = actions.acknowledge(queries.budget(budget_id))
    flash(f"{plural(count, 'alert')} acknowledged.")
    return redirect(url_for("operator_budgets.budget", budget_id=budget_id), 303)


@operator_feature.post(f"{BASE}/<uuid:budget_id>/remove", needs=permissions.EDIT)
def remove(budget_id: UUID) -> ResponseReturnValue:
    """Remove a budget."""
    row = queries.budget(budget_id)
    actions.remove(row)
    flash(f"The budget {row.name} was removed.")
    return redirect(url_for("operator_budgets.index"), 303)


# ---- in a customer's tenant


@feature.get("/economics/budget-notices/<uuid:notice_id>", needs=permissions.NOTICES)
def notice(notice_id: UUID) -> ResponseReturnValue:
    """Show a budget notice of this tenant."""
    row = queries.notice(notice_id)
    return page(
        "economics/budgets/notice.html",
        row=row,
        said=wording.sentence(row.name, row),
        caveats=wording.caveats(row),
        money=money,
    )


@feature.post("/economics/budget-notices/<uuid:notice_id>", needs=permissions.NOTICES)
def acknowledge_notice(notice_id: UUID) -> ResponseReturnValue:
    """Acknowledge a budget notice."""
    actions.acknowledge_notice(queries.notice(notice_id, lock=True))
    flash("The notice was acknowledged.")
    return redirect(url_for("budgets.notice", notice_id=notice_id), 303)
