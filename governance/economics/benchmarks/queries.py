"""Benchmarks of the acting tenant, and what the operator's are computed from.

benchmarks_of(month)     those that the page of usage shows
tenant_shares(month)     each customer's shares of a month, from the operator's rows
spent_in(quarter)        privacy budget that the operator's releases of a quarter used
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from governance.economics.benchmarks.models import Benchmark
from governance.economics.benchmarks.private_mean import QUARTER_BUDGET
from governance.economics.prices.models import USAGE_COSTS
from governance.economics.usage.ports import UsageBenchmark
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.months import Month

CACHED, FAILED = "cached_share", "failed_share"
MEASURES = (CACHED, FAILED)
ZERO = Decimal(0)


def quarter_of(month: Month) -> tuple[Month, Month]:
    """Return the first and the last month of the calendar quarter."""
    first = Month(month.year, (month.number - 1) // 3 * 3 + 1)
    return first, first.plus(2)


def releases(month: Month) -> Sequence[Benchmark]:
    """Return the acting tenant's rows of a month, by measure."""
    query = select(Benchmark).where(Benchmark.month == str(month))
    return session().scalars(query.order_by(Benchmark.measure)).all()


def spent_in(month: Month) -> Decimal:
    """Return the privacy budget that releases about the month's quarter used."""
    first, last = quarter_of(month)
    query = select(func.sum(Benchmark.epsilon)).where(
        Benchmark.month.between(str(first), str(last))
    )
    return session().scalar(query) or ZERO


def benchmarks_of(month: Month) -> Sequence[UsageBenchmark]:
    """Return the benchmarks of a month as the page of usage shows them."""
    found = releases(month)
    spent = spent_in(month) if found else ZERO
    return [
        UsageBenchmark(
            each.measure,
            each.tenants,
            each.mean,
            each.accuracy,
            each.epsilon,
            spent,
            QUARTER_BUDGET,
            each.refusal,
        )
        for each in found
    ]


def tenant_shares(month: Month) -> Mapping[str, Mapping[UUID, Decimal]]:
    """Return each customer's share by measure; a customer without requests or input has none."""
    row = USAGE_COSTS.c
    failed = func.sum(row.requests).filter(row.outcome.in_(("failed", "retried")))
    query = (
        select(
            row.customer_id,
            func.sum(row.requests),
            func.coalesce(failed, 0),
            func.sum(row.cache_read_tokens),
            func.sum(row.input_tokens + row.cache_read_tokens + row.cache_write_tokens),
        )
        .where(
            row.tenant_id == current.actor().tenant_id,
            row.day.between(month.first_day, month.last_day),
        )
        .group_by(row.customer_id)
    )
    cached, unsuccessful = dict[UUID, Decimal](), dict[UUID, Decimal]()
    for customer, requests, came_to_nothing, from_cache, read in session().execute(query):
        if requests:
            unsuccessful[customer] = Decimal(came_to_nothing) / Decimal(requests)
        if read:
            cached[customer] = Decimal(from_cache) / Decimal(read)
    return {CACHED: cached, FAILED: unsuccessful}
