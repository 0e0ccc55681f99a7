"""Recommended actions for the causes of a residual. Pure.

advice(days, currency)      for the days of a model or of all: the largest cause first
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.reviews.facts.review_facts import ReconciledDay
from governance.economics.reviews.figures import scaled_money

ZERO = Decimal(0)
LARGE_PART = 100  # amounts of 100 or more are written without cents
SMALLEST = Decimal(1)  # in currency units; smaller amounts need no action


@dataclass(frozen=True, slots=True)
class CauseAdvice:
    """A cause with its amount, the title of a recommended `action`, and a `note` with the reason."""

    cause: str
    amount: Decimal
    action: str
    note: str


def advice(days: Sequence[ReconciledDay], currency: str) -> list[CauseAdvice]:
    """Return recommended actions, for the causes that people can act on."""
    totals: dict[str, Decimal] = {}
    shares: dict[str, dict[tuple[str, str], Decimal]] = {}
    for day in days:
        for cause in day.causes:
            totals[cause.name] = totals.get(cause.name, ZERO) + cause.amount
            of_models = shares.setdefault(cause.name, {})
            key = (day.provider, day.model)
            of_models[key] = of_models.get(key, ZERO) + cause.amount
    found = []
    for cause_name, amount in totals.items():
        if abs(amount) < SMALLEST:
            continue
        of_models = shares[cause_name]
        provider, model = max(of_models, key=lambda key: (abs(of_models[key]), key))
        said = _said(cause_name, amount, provider, model or "charges without a model", currency)
        if said is not None:
            found.append(CauseAdvice(cause_name, amount, *said))
    return sorted(found, key=lambda each: -abs(each.amount))


def _said(
    cause: str, amount: Decimal, provider: str, model: str, currency: str
) -> tuple[str, str] | None:
    """Return action and note, or None for a cause that needs no action, such as rounding."""
    money = scaled_money(abs(amount), currency, amount * LARGE_PART)
    is_more = amount > 0
    texts = {
        "unmetered calls": (
            f"Meter the calls of {model} that usage doesn't have",
            "Find the jobs without a key, or import their usage. Then reopen the month.",
        ),
        "cache accounting": (
            f"Claim {money} from {provider}" if is_more else f"Check cache tokens of {model}",
            f"Cache tokens of {model} are billed in another bucket, or twice.",
        ),
        "retries and time-outs": (
            f"Lower retries and time-outs of {model}",
            "Attempts without an answer are billed too.",
        ),
        "price differences": (
            f"Correct the price of {model}, or claim {money} from {provider}",
            "The invoice has another price than the price book. Compare both with the contract.",
        ),
        "unexplained": (
            f"Ask {provider} what makes up {money} of {model}"
            if is_more
            else f"Ask {provider} for the bill of {money} of {model}",
            "The invoice is above the cost of usage, and no rule explains it."
            if is_more
            else "Usage costs more than the invoice. A bill may be missing.",
        ),
    }
    return texts.get(cause)
