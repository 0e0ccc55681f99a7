"""The price book, in the operator's own tenant.

price(price_id)          one price
history(match_key)       every price of a model, the newest first
book(day)                the price of each model on a day, and future ones
model_prices(keys)       prices for `pricing`, by model
deprecations(since)      the days on which providers end models
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.economics.prices.models import Price
from governance.economics.prices.pricing import ModelPrice
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel.data.db import find, session


@dataclass(frozen=True, slots=True)
class Deprecation:
    """A provider's announcement that a model ends."""

    provider: str
    model: str
    ends_on: date
    successor: str | None


def price(price_id: UUID) -> Price:
    """Return a price. Raises NotFound for another tenant's."""
    return find(Price, price_id, what="price")


def history(match_key: str) -> Sequence[Price]:
    """Return every price of a model, general and negotiated, the newest day first."""
    query = select(Price).where(Price.match_key == match_key)
    order = (Price.effective_from.desc(), Price.customer_id.nulls_first(), Price.id)
    return session().scalars(query.order_by(*order)).all()


def book(day: date) -> Sequence[Price]:
    """Return a price for each model and customer: the one in force on a day, else the next one."""
    newest = (
        select(Price.id)
        .ext(distinct_on(Price.match_key, Price.customer_id))
        .order_by(
            Price.match_key,
            Price.customer_id,
            Price.effective_from > day,
            func.abs(Price.effective_from - day),
        )
    )
    query = select(Price).where(Price.id.in_(newest))
    return session().scalars(query.order_by(Price.provider, Price.model, Price.id)).all()


def prices_of(match_keys: Collection[str]) -> Sequence[Price]:
    """Return the prices of these models, the earliest day first."""
    query = select(Price).where(Price.match_key.in_(set(match_keys)))
    return session().scalars(query.order_by(Price.effective_from, Price.id)).all()


def model_prices(match_keys: Collection[str]) -> Mapping[str, Sequence[ModelPrice]]:
    """Return prices for `pricing`, by model. Runs one statement."""
    found: dict[str, list[ModelPrice]] = defaultdict(list)
    for row in prices_of(match_keys):
        found[row.match_key].append(as_model_price(row))
    return found


def as_model_price(row: Price) -> ModelPrice:
    """Return the row as a ModelPrice for `pricing`."""
    return ModelPrice(
        row.id,
        per_million(row),
        row.request_price,
        row.currency,
        row.effective_from,
        row.customer_id,
    )


def per_million(row: Price) -> dict[str, Decimal]:
    """Return the price of a million tokens by bucket."""
    return {bucket: getattr(row, f"{bucket}_price") for bucket in BUCKETS}


def deprecations(since: date) -> list[Deprecation]:
    """Return the models that providers end on or after a day, the earliest first.

    The day is read from the newest price of each model.
    """
    newest = (
        select(Price)
        .where(Price.customer_id.is_(None))
        .ext(distinct_on(Price.match_key))
        .order_by(Price.match_key, Price.effective_from.desc())
    )
    found = [
        Deprecation(row.provider, row.model, row.deprecation_date, row.successor_model)
        for row in session().scalars(newest)
        if row.deprecation_date is not None and row.deprecation_date >= since
    ]
    return sorted(found, key=lambda each: (each.ends_on, each.provider, each.model))
