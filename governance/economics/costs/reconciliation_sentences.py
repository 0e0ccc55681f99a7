"""Headlines of a month's residual, for its page and its report. Pure."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from statistics import median

from governance.economics.costs.reconciliation import MonthResidual
from governance.economics.formulas.money import whole_money

HALF = Decimal("0.5")
MAX_UNUSUAL = 3  # days
UNUSUAL = 3  # times the median day
HUNDRED = Decimal(100)
NUMBERS = ("No", "One", "Two", "Three")


def headline(found: MonthResidual, month: str) -> str:
    """Return how far invoices and computed cost differ, and whether `month` could close."""
    if not found.invoiced and not found.computed:
        return f"No model cost in {month} yet"
    if not found.invoiced:
        return f"No invoice for {month} yet: it can't close"
    share = found.share or Decimal(0)
    limit = f"the {percent(found.limit, 0)} limit"
    if not found.residual:
        return f"Invoices equal computed cost: {month} could close"
    relation = "exceed computed cost by" if share > 0 else "are below computed cost by"
    verdict = (
        f"under {limit}: {month} could close"
        if found.is_within
        else f"over {limit}: two people must accept it before {month} closes"
    )
    return f"Invoices {relation} {percent(abs(share))}, {verdict}"


def models_headline(found: MonthResidual) -> str:
    """Return a headline on whether a single model causes the residual."""
    models = [model for provider in found.providers for model in provider.models]
    if not found.residual or not models:
        return "No model has a residual"
    top = max(models, key=lambda each: each.residual / found.residual)
    part = top.residual / found.residual
    name = top.model or f"{top.provider} without a model"
    if len(models) > 1 and HALF <= part <= 1:
        return f"{name} alone carries {percent(part, 0)} of the residual"
    return f"{name} has the largest residual of {len(models)} models"


def causes_headline(found: MonthResidual, currency: str) -> str:
    """Return how much of the residual is explained."""
    unexplained = found.causes["unexplained"]
    if not found.residual:
        return "There is nothing to explain"
    if not unexplained:
        return "All of it is explained"
    part = 1 - abs(unexplained) / abs(found.residual)
    if part <= 0:
        return f"{whole_money(unexplained, currency)} isn’t explained"
    return f"{percent(part, 0)} of it is explained; {whole_money(unexplained, currency)} isn’t"


def days_headline(found: MonthResidual) -> str:
    """Return a headline on whether a few days cause the residual."""
    days = unusual_days(found)
    if not days or not found.residual:
        return "No day is unusual"
    part = sum((found.by_day[day] for day in days), Decimal(0)) / found.residual
    if not 0 < part <= 1:
        return "No day is unusual"
    word = "day carries" if len(days) == 1 else "days carry"
    return f"{NUMBERS[len(days)]} {word} {percent(part, 0)} of the residual"


def unusual_days(found: MonthResidual) -> Sequence[date]:
    """Return up to three days whose residual exceeds three times the median day's, or none."""
    by_day = {day: amount for day, amount in found.by_day.items() if day is not None}
    if not by_day:
        return []
    usual = median(abs(amount) for amount in by_day.values())
    days = [day for day, amount in by_day.items() if abs(amount) > UNUSUAL * usual]
    return days if len(days) <= MAX_UNUSUAL else []


def percent(share: Decimal, decimals: int = 2) -> str:
    """Return a share as percent, such as "1.52%" for Decimal("0.0152").

    With `decimals=0`, a fractional value below 10% still has one decimal.
    """
    value = share * HUNDRED
    if decimals == 0 and value != round(value) and value < 10:  # noqa: PLR2004 - "2.5% limit"
        decimals = 1
    return f"{value:.{decimals}f}%"
