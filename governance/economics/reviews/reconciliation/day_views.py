"""The page behind a row of the reconciliation: its days, and a day's lines of bills and usage."""

from datetime import date
from typing import Any

from flask import request, url_for

from governance.economics.costs import day_lines
from governance.economics.costs.day_lines import MAX_LINES
from governance.economics.formulas.money import money
from governance.economics.reviews import permissions, queries, review_charts, review_frame
from governance.economics.reviews.facts.review_facts import ReviewFacts
from governance.economics.reviews.reconciliation import reconciled_days, residual_advice
from governance.economics.reviews.reconciliation.reconciled_days import DayOfRow, ReconciledDays
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("reconciled_days", __name__, scope="operator")
WHOLE_MONTH = "month"  # in URLs: charges without a day
MAX_SYSTEMS = 20  # customers' systems listed individually


@feature.get("/economics/reviews/<month>/reconciliation/days", needs=permissions.VIEW)
def days(month: str) -> ResponseReturnValue:
    """Show the days of a provider or a model, and the bills and usage of a selected day."""
    frame = review_frame.load(review_frame.parse_month(month))
    facts, chosen = frame.view.facts, request.args.get("day", "")
    row = reconciled_days.find(facts, request.args.get("provider", ""), request.args.get("model"))
    title = row.headline(facts.currency)
    return page(
        "economics/reviews/days.html",
        **review_frame.context(frame, "reviews.reconciliation"),
        title=title,
        row=row,
        causes=[name for name, amount in row.causes.items() if amount],
        chart=review_charts.days(row.reconciliation(facts.reconciliation), facts.currency, title)
        if row.days
        else None,
        advice=residual_advice.advice(row.parts, facts.currency),
        planned={each.title: each for each in queries.actions(frame.view.review.id)},
        address=lambda day: _address(month, row, day),
        money=money,
        **(_of_day(facts, row, _day(row, chosen)) if chosen else {}),
    )


def _address(month: str, row: ReconciledDays, day: str) -> str:
    """Return the URL of a day of the row."""
    return url_for(
        "reconciled_days.days",
        month=month,
        provider=row.provider,
        model=row.model,
        day=day or WHOLE_MONTH,
        revision=request.args.get("revision"),
        _anchor="day",
    )


def _day(row: ReconciledDays, text: str) -> DayOfRow:
    wanted = "" if text == WHOLE_MONTH else text
    found = next((each for each in row.days if each.day == wanted), None)
    if found is None:
        raise NotFound("This model has no such day in the review.")
    return found


def _of_day(facts: ReviewFacts, row: ReconciledDays, day: DayOfRow) -> dict[str, Any]:
    """Return the day with its current bills and usage. Its figures are those of the close."""
    month = review_frame.parse_month(facts.month)
    on = date.fromisoformat(day.day) if day.day else None
    used = day_lines.usage_lines(month, row.provider, row.model, on)
    return {
        "day": day,
        "lines": day_lines.bill_lines(month, row.provider, row.model, on),
        "max_lines": MAX_LINES,
        "used": used[:MAX_SYSTEMS],
        "more_used": len(used) - MAX_SYSTEMS,
        "tokens": _tokens([each.tokens for each in used]),
        "tenants": {each.id: each for each in facts.tenants},
    }


def _tokens(used: list[dict[str, int]]) -> dict[str, int]:
    """Return total tokens by bucket, without empty buckets."""
    total: dict[str, int] = {}
    for tokens in used:
        for bucket, count in tokens.items():
            total[bucket] = total.get(bucket, 0) + count
    return {bucket: count for bucket, count in total.items() if count}
