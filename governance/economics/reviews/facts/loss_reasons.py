"""The reason why a tenant loses money: the cost that exceeds the average the most. Pure.

The average is what the tenant would cost if it had the same cost per unit of revenue as all tenants
together. The reason is the kind of cost with the largest excess over that.
"""

from dataclasses import dataclass
from decimal import Decimal

from governance.economics.reviews.facts.review_facts import Costs, Reason
from governance.kernel.formatting import plural

ONE_PERCENT = Decimal("0.01")
KINDS = ("models", "guardrails", "infrastructure", "support")


@dataclass(frozen=True, slots=True)
class Burden:
    """Revenue, cost and usage of one tenant or of all, in a month."""

    revenue: Decimal
    costs: Costs
    requests: int
    tokens: int
    hours: Decimal
    tickets: int
    seats: int


def reason_of_loss(mine: Burden, everyone: Burden) -> Reason:
    """Return the largest reason. `everyone` includes the tenant."""
    if not mine.revenue:
        return Reason(text="No revenue in the month", note=_requests(mine))
    return _SENTENCES[largest_excess(mine, everyone)](mine, everyone)


def largest_excess(mine: Burden, everyone: Burden) -> str:
    """Return the kind of cost with the largest excess over the average for the tenant's revenue."""
    part = mine.revenue / everyone.revenue if everyone.revenue > 0 else Decimal(0)

    def excess(kind: str) -> Decimal:
        own: Decimal = getattr(mine.costs, kind)
        whole: Decimal = getattr(everyone.costs, kind)
        return own - whole * part

    return max(KINDS, key=excess)


def _models(mine: Burden, everyone: Burden) -> Reason:
    return Reason(
        text=f"{_each(mine.tokens, mine.requests):,} tokens in an average request",
        note=f"{_each(everyone.tokens, everyone.requests):,} across all tenants",
    )


def _guardrails(mine: Burden, everyone: Burden) -> Reason:
    return Reason(
        text=f"Guardrails take {_percent(mine.costs.guardrails, mine.revenue)} of revenue",
        note=f"{_percent(everyone.costs.guardrails, everyone.revenue)} across all tenants",
    )


def _infrastructure(mine: Burden, everyone: Burden) -> Reason:
    return Reason(
        text=f"{_percent(mine.requests, everyone.requests)} of all requests",
        note=f"with {_percent(mine.revenue, everyone.revenue)} of all revenue",
    )


def _support(mine: Burden, _everyone: Burden) -> Reason:
    return Reason(
        text=f"Support: {plural(mine.tickets, 'ticket')} in the month",
        note=f"for {plural(mine.seats, 'seat')}",
    )


_SENTENCES = {
    "models": _models,
    "guardrails": _guardrails,
    "infrastructure": _infrastructure,
    "support": _support,
}


def _each(total: int, number: int) -> int:
    return round(total / number) if number else 0


def _percent(part: Decimal | int, whole: Decimal | int) -> str:
    if whole <= 0:
        return "all"
    share = Decimal(part) / Decimal(whole)
    return f"{share:.0%}" if share >= ONE_PERCENT or not share else f"{share:.1%}"


def _requests(mine: Burden) -> str:
    return plural(mine.requests, "request")
