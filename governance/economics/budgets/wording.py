"""What an alert of a budget says, in mail, on pages and in webhook messages. Pure."""

from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from governance.economics.formulas.money import money, plain_amount
from governance.foundation.webhooks import event_types
from governance.kernel.months import Month

REACHED = "cost_budget.reached"
EXAMPLE = {
    "id": "01935a0c-6f8e-7cc0-8f3f-6f4c1b6a2d10",
    "budget": "Acme, claims-triage",
    "scope": "Acme Insurance · claims-triage",
    "period": "2026-11",
    "basis": "actual",
    "percent": 80,
    "amount": "1500.00",
    "spent": "1214.20",
    "forecast": "1623.90",
    "currency": "EUR",
    "summary": "Acme, claims-triage has spent 80% of €1,500.00 in November 2026.",
}
event_types.register(REACHED, "a budget of AI cost reaches a threshold", EXAMPLE)


class ReachedThreshold(Protocol):
    """An alert, or the notice of it."""

    period: str
    basis: str
    percent: int
    amount: Decimal
    spent: Decimal
    forecast: Decimal
    currency: str


def period_words(period: str) -> str:
    """Return "in November 2026", or "in the 30 days from 5 November 2026"."""
    if len(period) == len("2026-11"):
        return f"in {Month.parse(period).long_name}"
    first = date.fromisoformat(period)
    return f"in the 30 days from {first.day} {first:%B %Y}"


def sentence(name: str, alert: ReachedThreshold) -> str:
    """Say what was reached, of how much, and when."""
    amount = money(alert.amount, alert.currency)
    says = "has spent" if alert.basis == "actual" else "is forecast to spend"
    return f"{name} {says} {alert.percent}% of {amount} {period_words(alert.period)}."


def figures(alert: ReachedThreshold) -> str:
    """Spend and forecast, as a second sentence."""
    spent, forecast = (money(each, alert.currency) for each in (alert.spent, alert.forecast))
    return f"Spent so far: {spent}. Forecast: {forecast}."


def payload(alert_id: object, name: str, scope: str, alert: ReachedThreshold) -> dict[str, Any]:
    """Return the data of the webhook message."""
    amounts = {
        each: plain_amount(getattr(alert, each), alert.currency)
        for each in ("amount", "spent", "forecast")
    }
    return {
        "id": str(alert_id),
        "budget": name,
        "scope": scope,
        "period": alert.period,
        "basis": alert.basis,
        "percent": alert.percent,
        **amounts,
        "currency": alert.currency,
        "summary": sentence(name, alert),
    }
