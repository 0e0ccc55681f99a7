"""The cost of usage at a price. Pure, and exact: nothing is rounded before `stored_cost`.

    price_on(prices, day, customer_id)    the price in force on a day
    cost(tokens, requests, price)         sum(tokens x price per million) / 1,000,000
                                          + requests x price per request

Token buckets are disjoint: cached input is never also counted as input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from uuid import UUID

from governance.economics.formulas.money import PRICE_DECIMALS

MILLION = Decimal(10**6)
MAX_PRICE = Decimal(10**9)  # per million tokens
_EXACT = Context(prec=60)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """A model's price from a day on, in a currency.

    `per_million` has the price of a million tokens of each bucket. A price with a `customer_id`
    applies only to that customer's usage.
    """

    id: UUID | None
    per_million: Mapping[str, Decimal]
    per_request: Decimal
    currency: str
    effective_from: date
    customer_id: UUID | None = None


def price_on(
    prices: Iterable[ModelPrice], day: date, customer_id: UUID | None = None
) -> ModelPrice | None:
    """Return a model's price on a day in the operator's time zone, or None if none is in force.

    A customer's negotiated price takes precedence over the general one; of each, the latest in
    force applies.
    """
    in_force = [
        each
        for each in prices
        if each.effective_from <= day and each.customer_id in {None, customer_id}
    ]
    return max(
        in_force,
        key=lambda each: (each.customer_id is not None, each.effective_from),
        default=None,
    )


def cost(tokens: Mapping[str, int], requests: int, price: ModelPrice) -> Decimal:
    """Return the exact cost of tokens by bucket and of requests, in the currency of the price.

    Raises KeyError for a bucket that the price doesn't have.
    """
    with localcontext(_EXACT):
        of_tokens = sum(
            (count * price.per_million[bucket] for bucket, count in tokens.items()), Decimal(0)
        )
        return of_tokens / MILLION + requests * price.per_request


def stored_cost(tokens: Mapping[str, int], requests: int, price: ModelPrice) -> Decimal:
    """Return the cost to 8 decimals, half to even, the precision of a stored row."""
    with localcontext(_EXACT):
        exact = cost(tokens, requests, price)
        return exact.quantize(Decimal(1).scaleb(-PRICE_DECIMALS), rounding=ROUND_HALF_EVEN)
