"""A month's usage and its cost, summed by the database."""

from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select

from governance.economics.prices.models import USAGE_COSTS
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month

C = USAGE_COSTS.c


class UsageSum(NamedTuple):
    """Usage of a customer, AI system, feature, model and outcome in a month; cost in `currency`."""

    customer_id: UUID
    system: str
    feature: str
    provider: str
    model: str
    outcome: str
    currency: str | None  # None without a price
    requests: int
    tokens: int
    cost: Decimal


def usage_sums(month: Month) -> list[UsageSum]:
    """Return every sum of the month, in one statement."""
    keys = (
        C.customer_id,
        C.system,
        C.feature,
        C.provider,
        C.model,
        C.outcome,
        C.currency,
    )
    tokens = sum((C[f"{bucket}_tokens"] for bucket in BUCKETS[1:]), C[f"{BUCKETS[0]}_tokens"])
    query = (
        select(*keys, func.sum(C.requests), func.sum(tokens), func.sum(C.cost))
        .where(
            C.tenant_id == current.actor().tenant_id,
            C.day.between(month.first_day, month.last_day),
        )
        .group_by(*keys)
        .order_by(*keys)
    )
    return [
        UsageSum(*row[:7], requests=int(row[7]), tokens=int(row[8]), cost=row[9])
        for row in session().execute(query)
    ]
