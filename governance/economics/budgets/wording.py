"""Texts of a budget alert: in mail, on pages and in webhook messages. Pure.

An alert stores the caveats of its figures as webhook messages show them: `provisional` rates and
`unpriced` usage.
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from governance.economics.budgets.outlook import Outlook, UnpricedUsage
from governance.economics.formulas.money import money, plain_amount
from governance.economics.rates.conversion import ProvisionalRate, provisional_phrase
from governance.foundation.webhooks import event_types
from governance.kernel.formatting import plural
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
    "provisional": [{"currency": "USD", "month": "2026-11", "rate_of": "2026-10"}],
    "unpriced": [
        {"provider": "helio", "model": "helio-large-3", "requests": 3000, "tokens": 750000000}
    ],
    "summary": "Acme, claims-triage has spent 80% of €1,500.00 in November 2026.",
}
event_types.register(REACHED, "a budget of AI cost reaches a threshold", EXAMPLE)


class ReachedThreshold(Protocol):
    """The fields that an alert and its notice share."""

    period: str
    basis: str
    percent: int
    amount: Decimal
    spent: Decimal
    forecast: Decimal
    currency: str
    provisional: list[Any]
    unpriced: list[Any]


def kept_caveats(found: Outlook) -> dict[str, list[dict[str, Any]]]:
    """Return the columns of an alert that store the caveats of its figures."""
    return {
        "provisional": [
            {
                "currency": each.currency,
                "month": str(each.month),
                "rate_of": str(each.rate_month),
            }
            for each in found.provisional
        ],
        "unpriced": [
            {
                "provider": each.provider,
                "model": each.model,
                "requests": each.requests,
                "tokens": each.tokens,
            }
            for each in found.unpriced
        ],
    }


def caveats(alert: ReachedThreshold) -> list[str]:
    """Return sentences about the caveats of the alert's figures."""
    rates = [
        ProvisionalRate(Month.parse(each["month"]), each["currency"], Month.parse(each["rate_of"]))
        for each in alert.provisional
    ]
    return [*provisional(rates), *unpriced([UnpricedUsage(**each) for each in alert.unpriced])]


def provisional(rates: Iterable[ProvisionalRate]) -> list[str]:
    """Return a sentence that names the provisional rates, or an empty list."""
    phrase = provisional_phrase(rates)
    return [f"Figures are provisional: {phrase}."] if phrase else []


def unpriced(usage: Iterable[UnpricedUsage]) -> list[str]:
    """Return a sentence for each model whose usage no amount includes."""
    return [
        f"{plural(each.requests, 'request')} and {plural(each.tokens, 'token')} of {each.model}"
        f"{f' ({each.provider})' if each.provider else ' (no provider named)'}"
        " have no price. No amount includes them."
        for each in usage
    ]


def period_words(period: str) -> str:
    """Return "in November 2026", or "in the 30 days from 5 November 2026"."""
    if len(period) == len("2026-11"):
        return f"in {Month.parse(period).long_name}"
    first = date.fromisoformat(period)
    return f"in the 30 days from {first.day} {first:%B %Y}"


def sentence(name: str, alert: ReachedThreshold) -> str:
    """Return a sentence with the threshold, the amount and the period."""
    amount = money(alert.amount, alert.currency)
    says = "has spent" if alert.basis == "actual" else "is forecast to spend"
    return f"{name} {says} {alert.percent}% of {amount} {period_words(alert.period)}."


def figures(alert: ReachedThreshold) -> str:
    """Return a sentence with spend and forecast."""
    at_least = "at least " if alert.unpriced else ""
    spent, forecast = (money(each, alert.currency) for each in (alert.spent, alert.forecast))
    return f"Spent so far: {at_least}{spent}. Forecast: {at_least}{forecast}."


def letter(name: str, alert: ReachedThreshold, address: str) -> tuple[str, str]:
    """Return subject and text of the mail."""
    mark = " (provisional)" if alert.provisional else ""
    lines = [sentence(name, alert), " ".join([figures(alert), *caveats(alert)]), address]
    return f"Budget at {alert.percent}%{mark}: {name}", "\n\n".join(lines) + "\n"


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
        "provisional": list(alert.provisional),
        "unpriced": list(alert.unpriced),
        "summary": sentence(name, alert),
    }
