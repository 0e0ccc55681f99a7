"""Rows of usage with their cost: written from customers' usage, and priced by the book.

store(customer_id, rows, since)    stores changed rows of a customer's usage
price_unpriced()                   prices rows whose model has since got a price
reprice(rows, book)                prices rows again, for a restatement

A row keeps the price it used when its counts change. A row without a price gets one as soon as
there is one; it cost nothing until then.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from governance.economics.prices import queries
from governance.economics.prices.model_names import match_key
from governance.economics.prices.models import USAGE_COLLECTIONS, USAGE_COSTS, Price
from governance.economics.prices.pricing import ModelPrice, price_on, stored_cost
from governance.economics.usage.queries import DayUsage
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session

C = USAGE_COSTS.c
KEY = ("day", "system_id", "feature", "provider", "model", "outcome")  # within a customer
PRICED = ("price_id", "currency", "cost")
MAX_ROWS = 5000  # priced by one statement

type Book = Mapping[str, Sequence[ModelPrice]]


def store(customer_id: UUID, rows: Sequence[DayUsage], since: datetime | None) -> int:
    """Write the changed rows of a customer's usage with their cost. Return how many.

    `since` is the instant up to which the usage was read before. If another process has read
    further in the meantime, nothing is written: its rows are newer.
    """
    lock_tenant(f"usage costs of {customer_id}")
    if not rows or collected_until().get(customer_id) != since:
        return 0
    held = _held(customer_id, rows)
    book = queries.model_prices({match_key(row.provider, row.model) for row in rows})
    by_id = {price.id: price for prices in book.values() for price in prices}
    values = []
    for row in rows:
        key = match_key(row.provider, row.model)
        price = by_id.get(held.get(_key(row))) or price_on(book.get(key, ()), row.day, customer_id)
        values.append(_values(customer_id, row, key, price))
    for start in range(0, len(values), MAX_ROWS):
        session().execute(_UPSERT, values[start : start + MAX_ROWS])
    until = {"collected_until": rows[-1].changed_at}
    mine = {"tenant_id": current.actor().tenant_id, "customer_id": customer_id}
    session().execute(
        insert(USAGE_COLLECTIONS)
        .values(mine | until)
        .on_conflict_do_update(index_elements=list(mine), set_=until)
    )
    return len(values)


def collected_until() -> dict[UUID, datetime]:
    """Return the instant up to which each customer's usage was collected."""
    table = USAGE_COLLECTIONS.c
    query = select(table.customer_id, table.collected_until)
    mine = query.where(table.tenant_id == current.actor().tenant_id)
    return {row.customer_id: row.collected_until for row in session().execute(mine)}


def _held(customer_id: UUID, rows: Sequence[DayUsage]) -> dict[tuple[Any, ...], UUID]:
    """Return the price that each already stored row used."""
    days = [row.day for row in rows]
    query = select(*(C[name] for name in KEY), C.price_id).where(
        C.tenant_id == current.actor().tenant_id,
        C.customer_id == customer_id,
        C.day.between(min(days), max(days)),
        C.price_id.is_not(None),
    )
    return {_key(row): row.price_id for row in session().execute(query)}


def _key(row: Any) -> tuple[Any, ...]:
    return tuple(getattr(row, name) for name in KEY)


def _values(customer_id: UUID, row: DayUsage, key: str, price: ModelPrice | None) -> dict[str, Any]:
    return {
        "tenant_id": current.actor().tenant_id,
        "customer_id": customer_id,
        **{name: getattr(row, name) for name in KEY},
        "system": row.system,
        "match_key": key,
        "requests": row.requests,
        **{f"{bucket}_tokens": row.tokens[bucket] for bucket in BUCKETS},
        **_priced(row.tokens, row.requests, price),
        "collected_at": clock.now(),
    }


def _priced(tokens: Mapping[str, int], requests: int, price: ModelPrice | None) -> dict[str, Any]:
    if price is None:
        return {"price_id": None, "currency": None, "cost": Decimal(0)}
    cost = stored_cost(tokens, requests, price)
    return {"price_id": price.id, "currency": price.currency, "cost": cost}


_insert = insert(USAGE_COSTS)
_UPSERT = _insert.on_conflict_do_update(
    index_elements=list(USAGE_COSTS.primary_key.columns),
    set_={
        column.name: _insert.excluded[column.name]
        for column in USAGE_COSTS.columns
        if not column.primary_key
    },
)


# ---- stored rows


def price_unpriced() -> int:
    """Price the rows whose model has since got a price. Return how many."""
    mine = C.tenant_id == current.actor().tenant_id
    in_force = (
        select(Price.id)
        .where(
            Price.match_key == C.match_key,
            Price.effective_from <= C.day,
            or_(Price.customer_id.is_(None), Price.customer_id == C.customer_id),
        )
        .exists()
    )
    query = select(USAGE_COSTS).where(mine, C.price_id.is_(None), in_force)
    rows = session().execute(query.with_for_update(skip_locked=True)).all()
    return reprice(rows, queries.model_prices({row.match_key for row in rows}))


def reprice(rows: Iterable[Row[Any]], book: Book) -> int:
    """Give each row the book price of its day. Return how many rows have another price now.

    A row that the book has no price for is unchanged.
    """
    changed = []
    for row in rows:
        price = price_on(book.get(row.match_key, ()), row.day, row.customer_id)
        if price is not None and price.id != row.price_id:
            key = {f"its_{name}": getattr(row, name) for name in ("customer_id", *KEY)}
            changed.append(key | _priced(tokens_of(row), row.requests, price))
    if changed:
        session().execute(_REPRICE, changed)
    return len(changed)


def tokens_of(row: Any) -> dict[str, int]:
    """Return the tokens of a row of usage_costs by bucket."""
    return {bucket: getattr(row, f"{bucket}_tokens") for bucket in BUCKETS}


_REPRICE = (
    update(USAGE_COSTS)
    .where(*(C[name] == bindparam(f"its_{name}") for name in ("customer_id", *KEY)))
    .values({name: bindparam(name) for name in PRICED})
)
