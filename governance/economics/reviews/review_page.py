"""Template values of the Review tab: figures with their change, rows and charts. Pure.

context(facts, headlines)    the values of templates/economics/reviews/review.html
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from markupsafe import Markup

from governance.economics.formulas.money import MINUS, short_money, unit_money
from governance.economics.reviews import conclusions, figures, review_charts
from governance.economics.reviews.facts.review_facts import Headline, ReviewFacts
from governance.kernel.pictures import charts

MAX_LOSERS = 5
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Figure:
    """A headline figure.

    `good` is whether its change is an improvement; None without a change.
    """

    label: str
    value: str
    unit: str
    change: str
    good: bool | None
    chart: Markup | None


def before_of(headlines: Sequence[Headline], month: str) -> Headline | None:
    """Return the newest headline before this month, or None."""
    return next((each for each in reversed(headlines) if each.month < month), None)


def context(facts: ReviewFacts, headlines: Sequence[Headline]) -> dict[str, Any]:
    """Return the template's values."""
    losing = conclusions.losers(facts)
    money, tasks = conclusions.money(facts), conclusions.tasks(headlines)
    ceiling = review_charts.life_value_ceiling(facts.segments)
    return {
        "figures": four_figures(facts, headlines),
        "money_title": money,
        "waterfall": review_charts.waterfall(facts, money),
        "steps": review_charts.steps(facts),
        "tasks_title": tasks,
        "unnamed_tasks": conclusions.unnamed_tasks(facts),
        "task_chart": review_charts.task_lines(headlines, tasks)
        if headlines and headlines[-1].tasks
        else None,
        "task_systems": review_charts.drawn_systems(headlines),
        "task_rows": _task_rows(headlines),
        "segments_title": conclusions.segments(facts),
        "segment_rows": [
            (each, conclusions.ratio(each), review_charts.life_value(each, ceiling))
            for each in facts.segments
        ],
        "tiers_title": conclusions.tiers(facts),
        "tier_rows": [(each, _tier_bar(each)) for each in facts.tiers],
        "losses_title": conclusions.losses(facts),
        "losers": losing[:MAX_LOSERS],
        "more_losers": len(losing) - MAX_LOSERS,
    }


def four_figures(facts: ReviewFacts, headlines: Sequence[Headline]) -> list[Figure]:
    """Return revenue, gross margin, net revenue retention, and guardrails per request."""
    before = before_of(headlines, facts.month)
    than = f" on {figures.month_name(before.month, year=False)}" if before else ""
    r, old, currency = facts.ratios, before.ratios if before else None, facts.currency
    revenue = figures.growth(facts.waterfall.revenue, before.waterfall.revenue if before else None)
    margin = figures.points(r.gross_margin, old.gross_margin if old else None)
    kept = figures.points(r.nrr, old.nrr if old else None)
    guard = figures.growth(r.guardrails_per_request, old.guardrails_per_request if old else None)
    history = [each for each in headlines if each.month <= facts.month]
    return [
        Figure(
            "Revenue",
            short_money(facts.waterfall.revenue, currency),
            "",
            revenue and revenue + than,
            _is_up(revenue),
            _spark("Revenue", history, lambda each: each.waterfall.revenue),
        ),
        Figure(
            "Gross margin",
            *_share(r.gross_margin),
            margin,
            _is_up(margin),
            _spark("Gross margin", history, lambda each: each.ratios.gross_margin),
        ),
        Figure(
            "Net revenue retention",
            *_share(r.nrr),
            kept,
            _is_up(kept),
            _spark("Net revenue retention", history, lambda each: each.ratios.nrr),
        ),
        Figure(
            "Guardrails, per request",
            figures.UNKNOWN
            if r.guardrails_per_request is None
            else unit_money(r.guardrails_per_request, currency),
            "",
            guard and guard + than,
            None if (is_up := _is_up(guard)) is None else not is_up,
            _spark(
                "Guardrails per request", history, lambda each: each.ratios.guardrails_per_request
            ),
        ),
    ]


def _share(share: Decimal | None) -> tuple[str, str]:
    return (figures.UNKNOWN, "") if share is None else (figures.percent(share).rstrip("%"), "%")


def _is_up(change: str) -> bool | None:
    return {"+": True, MINUS: False}.get(change[:1])


def _spark(
    label: str, history: Sequence[Headline], of: Callable[[Headline], Decimal | None]
) -> Markup | None:
    values = [float(value) for each in history if (value := of(each)) is not None]
    if len(values) < 2:  # noqa: PLR2004 - a line has two ends
        return None
    first, last = figures.month_name(history[0].month), figures.month_name(history[-1].month)
    return charts.sparkline(values, f"{label}, {first} to {last}")


def _task_rows(headlines: Sequence[Headline]) -> list[tuple[str, list[Decimal | None]]]:
    """Return month and cost per task of each drawn system."""
    keys = review_charts.drawn_systems(headlines)
    return [
        (
            figures.month_name(month.month),
            [
                {(each.tenant, each.system): each.per_task for each in month.tasks}.get(key)
                for key in keys
            ],
        )
        for month in headlines
    ]


def _tier_bar(tier: Any) -> Markup | None:
    if tier.gross_margin is None:
        return None
    low = tier.gross_margin < Decimal("0.5")
    return charts.share_bar(
        float(tier.gross_margin),
        f"{tier.name}: gross margin {figures.percent(tier.gross_margin)}",
        kind="f2" if low else "f1",
    )
