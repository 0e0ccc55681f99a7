"""Computed and invoiced cost of models by provider, model and day, under the names of usage.

month_residual(month)            both compared, and the difference split into causes
metered_by_day(month)            computed from usage and prices
invoiced_by_day(month, known)    effective cost of the invoices
unmatched_names(month, known)    names on invoices that match no usage
used_models(month)               the models of a month's usage, to compare names with

Amounts are in the reporting currency, unrounded. Each raises MissingRate, which names the currency
and the month.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, Select, func, select

from governance.economics.costs import queries
from governance.economics.costs.focus_lines import TOKEN
from governance.economics.costs.models import CostLine
from governance.economics.costs.reconciliation import DEFAULT_LIMIT, MonthResidual, reconcile
from governance.economics.costs.residual_causes import Charge, Invoiced, Metered
from governance.economics.prices.models import USAGE_COSTS, Price
from governance.economics.rates import queries as rates
from governance.economics.rates.conversion import MonthRates
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month

C = USAGE_COSTS.c
MILLION = 1_000_000
type _Charge = Row[str, str, date, str | None, str | None, str, Decimal, Decimal | None, int]
type Models = Collection[tuple[str, str]]  # (provider, model) as named in usage


@dataclass(frozen=True, slots=True)
class NameTable:
    """The mapping of names on invoices to names in usage.

    A match of provider and model takes precedence over one of the provider alone. Without either, a
    name is compared with usage directly, ignoring case.
    """

    models: dict[tuple[str, str], tuple[str, str]]
    providers: dict[str, str]
    known: dict[tuple[str, str], tuple[str, str]]

    def find(self, provider: str, model: str) -> tuple[str, str, bool]:
        """Return provider, model, and whether they are matched."""
        if found := self.models.get((provider, model)):
            return *found, True
        its_provider = self.providers.get(provider, provider)
        if found := self.known.get((its_provider.casefold(), model.casefold())):
            return *found, True
        return its_provider, model, False


def name_table(known: Models) -> NameTable:
    """Return the table for these models of usage."""
    rows = queries.model_names()
    return NameTable(
        models={
            (row.invoice_provider, row.invoice_model): (row.provider, row.model)
            for row in rows
            if row.invoice_model
        },
        providers={row.invoice_provider: row.provider for row in rows if not row.invoice_model},
        known={(name.casefold(), model.casefold()): (name, model) for name, model in known},
    )


def month_residual(month: Month, limit: Decimal = DEFAULT_LIMIT) -> MonthResidual:
    """Compare the computed cost of a month's usage with its invoiced cost."""
    metered = metered_by_day(month)
    known = {(each.provider, each.model) for each in metered}
    return reconcile(metered, invoiced_by_day(month, known), limit)


def metered_by_day(month: Month) -> list[Metered]:
    """Return the cost of usage at the book price that each row has stored."""
    converted = rates.month_rates(month)
    return [_metered(row, converted) for row in session().execute(_usage(month))]


def _usage(month: Month) -> Select[Any]:
    keys = (C.provider, C.model, C.day, C.currency)
    all_tokens = sum((C[f"{each}_tokens"] for each in BUCKETS[1:]), C[f"{BUCKETS[0]}_tokens"])
    is_without_tokens = C.outcome.in_(("failed", "retried")) & (all_tokens == 0)
    sums = (
        func.sum(C.cost).label("cost"),
        func.sum(C.requests).label("requests"),
        func.coalesce(func.sum(C.requests).filter(is_without_tokens), 0).label("without_tokens"),
        *(func.sum(C[f"{each}_tokens"]).label(f"{each}_tokens") for each in BUCKETS),
        *(_bucket_cost(each).label(f"{each}_cost") for each in BUCKETS),
    )
    return (
        select(*keys, *sums)
        .select_from(USAGE_COSTS)
        .outerjoin(Price, (Price.tenant_id == C.tenant_id) & (Price.id == C.price_id))
        .where(
            C.tenant_id == current.actor().tenant_id,
            C.day.between(month.first_day, month.last_day),
        )
        .group_by(*keys)
        .order_by(*keys)
    )


def _bucket_cost(bucket: str) -> Any:
    """Return the SQL cost of a bucket's tokens; a price is per million tokens."""
    price = getattr(Price, f"{bucket}_price")
    return func.coalesce(func.sum(C[f"{bucket}_tokens"] * price), 0) / MILLION


def _metered(row: Row[Any], converted: MonthRates) -> Metered:
    def cost(amount: Decimal) -> Decimal:
        return Decimal(0) if row.currency is None else converted.convert(amount, row.currency)

    return Metered(
        provider=row.provider,
        model=row.model,
        day=row.day,
        cost=cost(row.cost),
        requests=int(row.requests),
        attempts_without_tokens=int(row.without_tokens),
        tokens={each: int(getattr(row, f"{each}_tokens")) for each in BUCKETS},
        costs={each: cost(getattr(row, f"{each}_cost")) for each in BUCKETS},
    )


def invoiced_by_day(month: Month, known: Models) -> list[Invoiced]:
    """Return the model charges of a month; `known` are the models of its usage.

    Cost is effective; quantities are in tokens.
    """
    table, converted = name_table(known), rates.month_rates(month)
    return [_invoiced(row, table, converted) for row in session().execute(_charges(month))]


def unmatched_names(month: Month, known: Models) -> list[tuple[str, str]]:
    """Return (provider, model) names on the month's invoices that match no model of the usage."""
    table = name_table(known)
    query = (
        select(CostLine.provider, func.coalesce(CostLine.model, ""))
        .where(CostLine.usage_month == str(month), CostLine.pool == "models")
        .distinct()
    )
    names = [(provider, model) for provider, model in session().execute(query)]
    return sorted(name for name in names if not table.find(*name)[2])


def used_models(month: Month) -> set[tuple[str, str]]:
    """Return the (provider, model) pairs of the month's usage."""
    query = (
        select(C.provider, C.model)
        .where(
            C.tenant_id == current.actor().tenant_id,
            C.day.between(month.first_day, month.last_day),
        )
        .distinct()
    )
    return {(row.provider, row.model) for row in session().execute(query)}


def _charges(
    month: Month,
) -> Select[str, str, date, str | None, str | None, str, Decimal, Decimal | None, int]:
    keys = (
        CostLine.provider,
        func.coalesce(CostLine.model, ""),
        CostLine.day,
        CostLine.meter,
        CostLine.unit,
        CostLine.currency,
    )
    sums = (
        func.sum(CostLine.effective),
        func.sum(CostLine.quantity),
        func.sum(CostLine.source_lines),
    )
    return (
        select(*keys, *sums)
        .where(CostLine.usage_month == str(month), CostLine.pool == "models")
        .group_by(*keys)
        .order_by(*keys)
    )


def _invoiced(row: _Charge, table: NameTable, converted: MonthRates) -> Invoiced:
    invoice_provider, invoice_model, day, meter, unit, currency, effective, quantity, lines = row
    provider, model, is_matched = table.find(invoice_provider, invoice_model)
    cost = converted.convert(effective, currency)
    meters = {}
    if meter is not None and unit == TOKEN and quantity is not None:
        meters[meter] = Charge(quantity, cost, int(lines))
    return Invoiced(
        provider=provider,
        model=model,
        day=day,
        cost=cost,
        lines=int(lines),
        meters=meters,
        is_matched=is_matched,
    )
