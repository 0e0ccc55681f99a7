"""Add prices to the book. A price never changes: a later one supersedes it.

add_price      adds a price that a person entered
add_imported   adds the prices of a price table
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.economics.formulas.currencies import is_currency
from governance.economics.formulas.money import PRICE_DECIMALS
from governance.economics.imports.models import FileImport
from governance.economics.prices.model_names import match_key, model_without_provider
from governance.economics.prices.models import Price
from governance.economics.prices.pricing import MAX_PRICE
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.queries import tenant_by_id
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid

ADDED = action(
    "price.added",
    "added a price",
    target="Price",
    activity="create",
    severity="low",
    fields="provider model effective_from currency customer source request " + " ".join(BUCKETS),
)
IMPORTED = action(
    "price.table_imported",
    "added the prices of a price table",
    target="FileImport",
    activity="create",
    severity="low",
    fields="prices effective_from",
)
MAX_NAME_LENGTH = 120


class PriceTaken(DomainError):
    """A different price of the model begins on the same day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceTerms:
    """A model's price from a day on.

    `per_million` is by bucket and requires input. Cache tokens without a price of their own cost as
    much as input, and reasoning as much as output; output without a price is free.
    """

    provider: str
    model: str
    per_million: Mapping[str, Decimal]
    currency: str
    effective_from: date
    source: str
    per_request: Decimal = Decimal(0)
    customer_id: UUID | None = None
    source_date: date | None = None
    deprecation_date: date | None = None
    successor_model: str | None = None
    unused_prices: Mapping[str, Any] = field(default_factory=dict)

    @property
    def match_key(self) -> str:
        return match_key(self.provider, self.model)

    @property
    def prices(self) -> dict[str, Decimal]:
        """The price of each bucket, and of a request, with 8 decimals."""
        given = self.per_million
        found = {
            "input": given["input"],
            "cache_read": given.get("cache_read", given["input"]),
            "cache_write": given.get("cache_write", given["input"]),
            "output": given.get("output", Decimal(0)),
            "reasoning": given.get("reasoning", given.get("output", Decimal(0))),
            "request": self.per_request,
        }
        return {name: price.quantize(_UNIT) for name, price in found.items()}


_UNIT = Decimal(1).scaleb(-PRICE_DECIMALS)


def add_price(terms: PriceTerms) -> Price:
    """Add a price. Adding the same one again changes nothing.

    Raises Invalid, and PriceTaken if a different price begins on the same day.
    """
    lock_tenant("prices")
    check_terms(terms)
    if terms.customer_id is not None:
        _check_customer(terms.customer_id)
    query = select(Price).where(
        Price.match_key == terms.match_key,
        Price.effective_from == terms.effective_from,
        Price.customer_id.is_not_distinct_from(terms.customer_id),
    )
    found = session().scalars(query).one_or_none()
    if found is not None:
        if is_same_price(found, terms):
            return found
        raise PriceTaken(
            f"{terms.model} has another price from {terms.effective_from.isoformat()} on. Prices"
            " never change: choose a later day, or have the usage restated.",
            field="effective_from",
        )
    made = _row(terms, import_id=None)
    session().add(made)
    prices: dict[str, Any] = {
        name: f"{value.normalize():f}" for name, value in terms.prices.items()
    }
    record(
        ADDED,
        made,
        provider=made.provider,
        model=made.model,
        effective_from=made.effective_from,
        currency=made.currency,
        customer=terms.customer_id,
        source=made.source,
        **prices,
    )
    return made


def add_imported(terms: Sequence[PriceTerms], file_import: FileImport, day: date) -> None:
    """Add the prices of a price table that was compared with the book, effective from a day."""
    for each in terms:
        check_terms(each)
    session().add_all(_row(each, import_id=file_import.id) for each in terms)
    record(IMPORTED, file_import, prices=len(terms), effective_from=day)


def is_same_price(row: Price, terms: PriceTerms) -> bool:
    """Return whether a row has the same prices and currency as `terms`, whatever their source."""
    prices = {name: getattr(row, f"{name}_price") for name in terms.prices}
    return row.currency == terms.currency and prices == terms.prices


def check_terms(terms: PriceTerms) -> None:
    """Check the terms of a price. Raises Invalid about the form's field."""
    if not terms.model.strip() or len(terms.model) > MAX_NAME_LENGTH:
        raise Invalid(f"Enter the model in up to {MAX_NAME_LENGTH} characters.", field="model")
    if len(terms.provider) > MAX_NAME_LENGTH:
        raise Invalid(f"Enter up to {MAX_NAME_LENGTH} characters.", field="provider")
    if not terms.source.strip():
        raise Invalid("Name the source, such as the provider's price page.", field="source")
    if not is_currency(terms.currency):
        raise Invalid("Choose a currency of ISO 4217, such as USD.", field="currency")
    for name, price in [*terms.per_million.items(), ("request", terms.per_request)]:
        if not price.is_finite() or not 0 <= price < MAX_PRICE:
            raise Invalid("Enter a price from 0 to below 1,000,000,000.", field=name)
        if price != price.quantize(_UNIT):
            raise Invalid(f"A price has {PRICE_DECIMALS} decimals at most.", field=name)


def _check_customer(customer_id: UUID) -> None:
    found = tenant_by_id(customer_id)
    if found is None or found.kind != "customer":
        raise Invalid("Choose a tenant, or none.", field="customer_id")


def _row(terms: PriceTerms, *, import_id: UUID | None) -> Price:
    return Price(
        provider=terms.provider.strip(),
        model=model_without_provider(terms.provider, terms.model),
        match_key=terms.match_key,
        customer_id=terms.customer_id,
        effective_from=terms.effective_from,
        currency=terms.currency,
        source=terms.source.strip(),
        source_date=terms.source_date,
        deprecation_date=terms.deprecation_date,
        successor_model=terms.successor_model,
        unused_prices=dict(terms.unused_prices),
        import_id=import_id,
        entered_by=current.actor().person_id,
        **{f"{name}_price": value for name, value in terms.prices.items()},
    )
