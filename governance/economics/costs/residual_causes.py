"""Split the residual of a model's day into causes. Pure.

Each rule takes its part of invoiced − computed, in this order, and passes on the rest:

    cache accounting     prompt tokens billed in another prompt bucket than the one that was
                         metered; cache tokens billed at another bucket's book price; cache tokens
                         beyond what unmetered calls explain (a write that is billed twice)
    unmetered calls      invoiced tokens beyond the metered ones, at the invoiced price; a day
                         without any metered request
    price differences    invoiced unit price − book price, × the metered quantity, where it is more
                         than the rounding of its lines
    retries, time-outs   attempts without tokens × the median cost of a request, at most the rest
    rounding             a rest below half a cent for each line of the invoice
    unexplained          the rest

So the causes always add up to the residual exactly, and a negative rest (metered, not invoiced) is
unexplained.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import msgspec

CAUSES = {
    "unmetered": "Unmetered calls",
    "cache": "Cache accounting",
    "retries": "Retries and time-outs",
    "price": "Price differences",
    "rounding": "Rounding",
    "unexplained": "Unexplained",
}
PROMPT_BUCKETS = ("input", "cache_read", "cache_write")
CACHE_BUCKETS = ("cache_read", "cache_write")
ROUNDING_OF_A_LINE = Decimal("0.005")
SAME_PRICE = Decimal("0.005")  # relative difference up to which two prices are the same
PLACES = Decimal("1e-12")
ZERO = Decimal(0)


class Metered(msgspec.Struct, frozen=True, kw_only=True):
    """Computed cost of a model on a day: `tokens` and `costs` by bucket, `cost` is the total."""

    provider: str
    model: str
    day: date
    cost: Decimal
    requests: int = 0
    attempts_without_tokens: int = 0  # failed or retried
    tokens: Mapping[str, int] = {}
    costs: Mapping[str, Decimal] = {}


class Charge(msgspec.Struct, frozen=True):
    """The invoiced tokens and cost of a meter, and the number of invoice lines."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    lines: int = 0


class Invoiced(msgspec.Struct, frozen=True, kw_only=True):
    """Invoiced cost of a model on a day; `meters` are the charges whose tokens are known."""

    provider: str
    model: str
    day: date
    cost: Decimal
    lines: int = 1
    meters: Mapping[str, Charge] = {}
    is_matched: bool = True


class _Bucket:
    """A bucket's metered and invoiced side; rules reduce `surplus` (tokens) as they explain it."""

    def __init__(self, tokens: int, computed: Decimal, charge: Charge) -> None:
        self.metered, self.charge = Decimal(tokens), charge
        self.book = computed / tokens if tokens else None
        self.invoiced = charge.cost / charge.quantity if charge.quantity else None
        self.surplus = charge.quantity - tokens
        self.computed = computed

    @property
    def price(self) -> Decimal:
        """The price of a surplus token: as invoiced, or the book price if none is invoiced."""
        return self.invoiced if self.invoiced is not None else (self.book or ZERO)

    @property
    def price_difference(self) -> Decimal:
        """The invoiced − computed cost of metered tokens; 0 if below the rounding of the lines."""
        if self.book is None or self.invoiced is None:
            return ZERO
        difference = self.invoiced * self.metered - self.computed
        tolerance = ROUNDING_OF_A_LINE * self.charge.lines
        return difference if abs(difference) >= tolerance else ZERO


def split(metered: Metered, invoiced: Invoiced, median_cost: Decimal) -> dict[str, Decimal]:
    """Return the amount of each cause for a model and day; `median_cost` is that of a request."""
    residual = invoiced.cost - metered.cost
    if not metered.requests and not metered.cost and invoiced.is_matched and residual > 0:
        return {"unmetered": residual}
    buckets = {
        name: _Bucket(metered.tokens.get(name, 0), metered.costs.get(name, ZERO), charge)
        for name, charge in _charges(metered, invoiced).items()
    }
    found = {"cache": _moved(buckets)}
    unmetered, surplus = _surplus(buckets)
    at_other_price, price = _prices(buckets)
    found["cache"] += surplus + at_other_price
    found |= {"unmetered": unmetered, "price": price}
    found = {cause: amount.quantize(PLACES) for cause, amount in found.items()}
    rest = residual - sum(found.values(), ZERO)
    tolerance = ROUNDING_OF_A_LINE * invoiced.lines
    if rest >= tolerance:
        found["retries"] = min(rest, (metered.attempts_without_tokens * median_cost)).quantize(
            PLACES
        )
        rest -= found["retries"]
    found["rounding" if abs(rest) < tolerance else "unexplained"] = rest
    return {cause: amount for cause, amount in found.items() if amount}


def _charges(metered: Metered, invoiced: Invoiced) -> dict[str, Charge]:
    """Return an invoice's charge per bucket; empty if it has no quantities or matches no model."""
    if not invoiced.meters or not invoiced.is_matched:
        return {}
    names = {*invoiced.meters, *(name for name, count in metered.tokens.items() if count)}
    return {name: invoiced.meters.get(name, Charge()) for name in sorted(names)}


def _moved(buckets: Mapping[str, _Bucket]) -> Decimal:
    """Return the cost of tokens that one prompt bucket lacks and another has billed.

    They cost the price of the bucket in which they are billed.
    """
    amount = ZERO
    prompt = [buckets[name] for name in PROMPT_BUCKETS if name in buckets]
    for lacking in prompt:
        for having in prompt:
            count = min(-lacking.surplus, having.surplus)
            if count > 0:
                amount += count * (having.price - lacking.price)
                lacking.surplus += count
                having.surplus -= count
    return amount


def _surplus(buckets: Mapping[str, _Bucket]) -> tuple[Decimal, Decimal]:
    """Return the cost of unmetered calls, and the cost of cache tokens beyond them.

    Unmetered calls have cache tokens in the proportion of the metered ones.
    """
    plain = [bucket for name, bucket in buckets.items() if name not in CACHE_BUCKETS]
    extra = sum((max(bucket.surplus, ZERO) for bucket in plain), ZERO)
    known = sum((bucket.metered for bucket in plain), ZERO)
    unmetered = sum((max(bucket.surplus, ZERO) * bucket.price for bucket in plain), ZERO)
    cache = ZERO
    for name in CACHE_BUCKETS:
        bucket = buckets.get(name)
        if bucket is None or bucket.surplus <= 0:
            continue
        share = bucket.metered * extra / known if known else bucket.surplus
        of_calls = min(share if extra else ZERO, bucket.surplus)
        unmetered += of_calls * bucket.price
        cache += (bucket.surplus - of_calls) * bucket.price
    return unmetered, cache


def _prices(buckets: Mapping[str, _Bucket]) -> tuple[Decimal, Decimal]:
    """Return price differences: cache tokens billed at another bucket's price, and all others."""
    other_bucket = price = ZERO
    for name, bucket in buckets.items():
        is_swapped = name in CACHE_BUCKETS and any(
            _is_same(bucket.invoiced, buckets[each].book)
            for each in PROMPT_BUCKETS
            if each in buckets and each != name
        )
        if is_swapped:
            other_bucket += bucket.price_difference
        else:
            price += bucket.price_difference
    return other_bucket, price


def _is_same(one: Decimal | None, other: Decimal | None) -> bool:
    if one is None or not other:
        return False
    return abs(one - other) <= SAME_PRICE * other
