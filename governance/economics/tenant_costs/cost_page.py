"""The page of a tenant's own cost: its headline, its chart and its export. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.formulas.money import money, unit_money
from governance.economics.rates.conversion import provisional_phrase
from governance.economics.tenant_costs.cost_figures import TenantCosts
from governance.economics.usage.queries import Days
from governance.economics.usage.usage_list import CHART_HEIGHT, CHART_WIDTH
from governance.kernel import formatting
from governance.kernel.pictures import drawing

HEAD = (
    "By", "Day", "AI system", "Feature", "Provider", "Model", "Requests", "Without a price", "Cost",
    "Currency", "Provisional rates",
)  # fmt: skip # one row of the file


def headline(costs: TenantCosts | None, requests: int, month: str) -> str:
    """Return a headline such as "€312.40 in October 2026, €0.0431 for each completed task"."""
    if costs is None:
        return f"Cost of {month} is unknown" if requests else f"No cost in {month}"
    spent = f"{money(costs.total, costs.currency)} in {month}"
    if costs.unpriced:
        return f"At least {spent}"
    if isinstance(costs.per_task, NotEstimable):
        return spent
    return f"{spent}, {unit_money(costs.per_task, costs.currency)} for each completed task"


def written(estimate: Estimate, currency: str) -> str:
    """Return the amount as text, such as "€0.0431", or "–" if it isn't estimable."""
    if isinstance(estimate, NotEstimable):
        return "\N{EN DASH}"
    return unit_money(estimate, currency)


def reason(estimate: Estimate) -> str:
    """Return the reason why it isn't estimable, or "" if it is."""
    return str(estimate) if isinstance(estimate, NotEstimable) else ""


def chart(costs: TenantCosts, days: Days) -> Markup:
    """Return the cost of each day as a bar chart. A day without cost has no bar."""
    amounts = {row.sum.day: row.amount for row in costs.days if row.sum.day is not None}
    top = drawing.ceiling(float(max(amounts.values(), default=Decimal(0))))
    plot = drawing.Plot(46, 12, CHART_WIDTH - 54, CHART_HEIGHT - 42, top)
    every = [days.first + timedelta(days=n) for n in range((days.last - days.first).days + 1)]
    slot = plot.width / len(every)
    body = drawing.grid(plot, "")
    for n, day in enumerate(every):
        x, y = plot.left + slot * (n + 0.15), plot.y(float(amounts.get(day, Decimal(0))))
        if amounts.get(day):
            body.append(drawing.bar(x, y, slot * 0.7, max(plot.bottom - y, 1), "f1"))
        if n % 7 == 0:
            body.append(
                drawing.label(
                    plot.left + slot * (n + 0.5),
                    plot.bottom + 18,
                    formatting.day_of_year(day),
                    "tick",
                    anchor="middle",
                )
            )
    words = ", ".join(
        f"{formatting.day_of_year(day)} {amount:,f}" for day, amount in amounts.items()
    )
    return drawing.svg(CHART_WIDTH, CHART_HEIGHT, f"By day, {costs.currency}", words, body)


def cells(costs: TenantCosts) -> list[Sequence[Any]]:
    """Return the rows of the export. Each group adds up to the total."""
    return [
        (
            label,
            row.sum.day.isoformat() if row.sum.day else "",
            row.sum.system,
            row.sum.feature,
            row.sum.provider,
            row.sum.model,
            row.sum.requests,
            row.sum.unpriced,
            row.amount,
            costs.currency,
            provisional_phrase(costs.provisional),
        )
        for label, rows in (
            ("day", costs.days),
            ("feature", costs.features),
            ("model", costs.models),
        )
        for row in rows
    ]
