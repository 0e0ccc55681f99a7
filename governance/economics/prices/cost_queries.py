"""The cost of usage in a month, in the reporting currency, summed by the database.

cost_by_customer(month)     each customer's requests and cost
cost_by_day(month)          by provider, model and day, to compare with invoices
cost_by_system(month)       by customer, AI system and feature
usage_by_customer(month)    requests and tokens, priced or not
unpriced_models()           models in use that have no price, so that they cost nothing here

Months are in the operator's time zone. Costs are unrounded sums of rows with 8 decimals; round a
total once. A function that returns money raises MissingRate if the month has no rate for a price's
currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from governance.economics.prices.models import USAGE_COSTS
from governance.economics.rates import queries as rates
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month

C = USAGE_COSTS.c
REQUESTS = func.sum(C.requests).label("requests")
SUCCEEDED = func.coalesce(func.sum(C.requests).filter(C.outcome == "success"), 0).label("succeeded")
UNPRICED = func.coalesce(func.sum(C.requests).filter(C.price_id.is_(None)), 0).label("unpriced")
COST = func.sum(C.cost).label("cost")
TOKENS = tuple(func.sum(C[f"{bucket}_tokens"]).label(bucket) for bucket in BUCKETS)


@dataclass(slots=True)
class CustomerCost:
    """A customer's month. `unpriced` of its `requests` have no price, so they cost nothing."""

    customer_id: UUID
    customer: str
    requests: int = 0
    unpriced: int = 0
    cost: Decimal = Decimal(0)


@dataclass(slots=True)
class DayCost:
    """A day of a provider's model, over all customers."""

    provider: str
    model: str
    day: date
    requests: int = 0
    unpriced: int = 0
    tokens: dict[str, int] | None = None  # by bucket
    cost: Decimal = Decimal(0)


@dataclass(slots=True)
class SystemCost:
    """A month of a feature of an AI system. `succeeded` is the number of successful requests."""

    customer_id: UUID
    customer: str
    system_id: UUID
    system: str
    feature: str
    requests: int = 0
    succeeded: int = 0
    cost: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class CustomerUsage:
    """A customer's requests and tokens in a month."""

    customer_id: UUID
    customer: str
    requests: int
    tokens: dict[str, int]  # by bucket

    @property
    def all_tokens(self) -> int:
        return sum(self.tokens.values())


@dataclass(frozen=True, slots=True)
class UnpricedModel:
    """A model in use without a price."""

    provider: str
    model: str
    match_key: str
    requests: int
    tokens: int
    customers: int
    first_day: date
    last_day: date


def cost_by_customer(month: Month) -> list[CustomerCost]:
    """Return each customer with usage in the month, the most expensive first."""
    found: dict[UUID, CustomerCost] = {}
    names, converted = _names(), rates.month_rates(month)
    for row in _sums(month, (C.customer_id,), (REQUESTS, UNPRICED, COST)):
        total = found.setdefault(
            row.customer_id, CustomerCost(row.customer_id, names.get(row.customer_id, ""))
        )
        total.requests += int(row.requests)
        total.unpriced += int(row.unpriced)
        total.cost += _converted(row, converted)
    return sorted(found.values(), key=lambda each: (-each.cost, each.customer))


def cost_by_day(month: Month) -> list[DayCost]:
    """Return each provider's model and day with usage, in this order."""
    found: dict[tuple[str, str, date], DayCost] = {}
    converted = rates.month_rates(month)
    for row in _sums(month, (C.provider, C.model, C.day), (REQUESTS, UNPRICED, COST, *TOKENS)):
        key = row.provider, row.model, row.day
        total = found.setdefault(key, DayCost(*key, tokens=dict.fromkeys(BUCKETS, 0)))
        total.requests += int(row.requests)
        total.unpriced += int(row.unpriced)
        total.tokens = {
            bucket: count + int(getattr(row, bucket))
            for bucket, count in (total.tokens or {}).items()
        }
        total.cost += _converted(row, converted)
    return [found[key] for key in sorted(found)]


def cost_by_system(month: Month) -> list[SystemCost]:
    """Return each customer's AI system and feature with usage, the most expensive first."""
    found: dict[tuple[UUID, UUID, str], SystemCost] = {}
    names, converted = _names(), rates.month_rates(month)
    by = (C.customer_id, C.system_id, C.system, C.feature)
    for row in _sums(month, by, (REQUESTS, SUCCEEDED, COST)):
        total = found.setdefault(
            (row.customer_id, row.system_id, row.feature),
            SystemCost(
                row.customer_id,
                names.get(row.customer_id, ""),
                row.system_id,
                row.system,
                row.feature,
            ),
        )
        total.requests += int(row.requests)
        total.succeeded += int(row.succeeded)
        total.cost += _converted(row, converted)
    return sorted(found.values(), key=lambda each: (-each.cost, each.customer, each.system))


def usage_by_customer(month: Month) -> list[CustomerUsage]:
    """Return each customer's requests and tokens in the month, the most tokens first."""
    names = _names()
    query = select(C.customer_id, REQUESTS, *TOKENS).where(*_in(month)).group_by(C.customer_id)
    found = [
        CustomerUsage(
            row.customer_id,
            names.get(row.customer_id, ""),
            int(row.requests),
            {bucket: int(getattr(row, bucket)) for bucket in BUCKETS},
        )
        for row in session().execute(query)
    ]
    return sorted(found, key=lambda each: (-each.all_tokens, each.customer))


def unpriced_models() -> list[UnpricedModel]:
    """Return the models in use without a price, of all months, the most requests first."""
    tokens = sum((C[f"{bucket}_tokens"] for bucket in BUCKETS[1:]), C[f"{BUCKETS[0]}_tokens"])
    query = (
        select(
            func.min(C.provider).label("provider"),
            func.min(C.model).label("model"),
            C.match_key,
            REQUESTS,
            func.sum(tokens).label("tokens"),
            func.count(C.customer_id.distinct()).label("customers"),
            func.min(C.day).label("first_day"),
            func.max(C.day).label("last_day"),
        )
        .where(C.tenant_id == current.actor().tenant_id, C.price_id.is_(None), C.requests > 0)
        .group_by(C.match_key)
    )
    found = [
        UnpricedModel(
            row.provider,
            row.model,
            row.match_key,
            int(row.requests),
            int(row.tokens),
            row.customers,
            row.first_day,
            row.last_day,
        )
        for row in session().execute(query)
    ]
    return sorted(found, key=lambda each: (-each.requests, each.match_key))


def _sums(month: Month, by: Sequence[Any], sums: Sequence[Any]) -> Sequence[Row[Any]]:
    query = select(*by, C.currency, *sums).where(*_in(month)).group_by(*by, C.currency)
    return list(session().execute(query))


def _in(month: Month) -> tuple[Any, Any]:
    return (
        C.tenant_id == current.actor().tenant_id,
        C.day.between(month.first_day, month.last_day),
    )


def _converted(row: Row[Any], converted: Any) -> Decimal:
    """Return a sum in the reporting currency. Rows without a price have no cost or currency."""
    return Decimal(0) if row.currency is None else converted.convert(row.cost, row.currency)


def _names() -> dict[UUID, str]:
    query = select(Tenant.id, Tenant.name).where(Tenant.kind == "customer")
    return {row.id: row.name for row in session().execute(query)}
