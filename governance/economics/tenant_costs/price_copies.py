"""Copies of list prices: a month's prices of each customer's models, in the customer's tenant.

    prices_of(months)    in the operator's tenant: the rows of each customer
    replace(months, …)   in a customer's tenant: update its rows if they differ

Negotiated prices are not list prices, so they are never copied.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Date, cast, delete, func, insert, select

from governance.economics.prices import queries as prices
from governance.economics.prices.model_names import match_key
from governance.economics.prices.models import USAGE_COSTS
from governance.economics.prices.unit_prices import unit_prices
from governance.economics.rates.conversion import MonthRates
from governance.economics.rates.queries import months_rates
from governance.economics.tenant_costs.models import LIST_PRICES
from governance.economics.usage.request_costs import UnitPrice
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.months import Month

C = USAGE_COSTS.c
LOCK = "list prices"

type Copies = Sequence[Mapping[str, Any]]


def prices_of(months: Sequence[Month]) -> dict[UUID, Copies]:
    """Return the rows of each customer with usage in these months. Runs four statements."""
    month = cast(func.date_trunc("month", C.day), Date).label("month")
    query = (
        select(C.customer_id, month, C.provider, C.model)
        .where(
            C.tenant_id == current.actor().tenant_id,
            C.day.between(min(months).first_day, max(months).last_day),
        )
        .distinct()
    )
    used = session().execute(query).all()
    book = prices.model_prices({match_key(row.provider, row.model) for row in used})
    rates = months_rates(months)
    models = defaultdict[Month, set[tuple[str, str]]](set)
    for row in used:
        models[Month.of(row.month)].add((row.provider, row.model))
    listed = {
        (each, *name): [
            _row(each, price, rates[each])
            for price in unit_prices(each, None, [name], book, rates[each])
        ]
        for each, names in models.items()
        for name in names
    }
    found = defaultdict[UUID, list[Mapping[str, Any]]](list)
    for row in used:
        found[row.customer_id] += listed[Month.of(row.month), row.provider, row.model]
    return dict(found)


def _row(month: Month, price: UnitPrice, rates: MonthRates) -> dict[str, Any]:
    used = rates.provisional(price.priced_in)
    return {
        "month": month.first_day,
        "provider": price.provider,
        "model": price.model,
        "first_day": price.first,
        "last_day": price.last,
        "currency": rates.reporting,
        "rate_currency": used and used.currency,
        "rate_month": used and used.rate_month.first_day,
        **{f"{bucket}_price": price.per_million[bucket] for bucket in BUCKETS},
        "request_price": price.per_request,
    }


def replace(months: Sequence[Month], copies: Copies) -> bool:
    """Replace the acting customer's rows of these months. Return whether they differed."""
    lock_tenant(LOCK)
    mine = LIST_PRICES.c.tenant_id == current.actor().tenant_id
    here = mine & LIST_PRICES.c.month.in_([each.first_day for each in months])
    names = [column.name for column in LIST_PRICES.columns if column.name != "tenant_id"]
    there = session().execute(select(*(LIST_PRICES.c[name] for name in names)).where(here))
    wanted = {tuple(each[name] for name in names) for each in copies}
    if {tuple(row) for row in there} == wanted:
        return False
    session().execute(delete(LIST_PRICES).where(here))
    if copies:
        tenant = {"tenant_id": current.actor().tenant_id}
        session().execute(insert(LIST_PRICES), [tenant | dict(each) for each in copies])
    return True


def remove() -> None:
    """Remove every row of the acting customer."""
    lock_tenant(LOCK)
    mine = LIST_PRICES.c.tenant_id == current.actor().tenant_id
    session().execute(delete(LIST_PRICES).where(mine))
