"""What invoices charge for models, by provider, model and day, under the names that usage has.

invoiced_by_day(month, known)    effective cost in the reporting currency
unmatched_names(month, known)    names on invoices that no usage has
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Row, Select, func, select

from governance.economics.costs import queries
from governance.economics.costs.focus_lines import TOKEN
from governance.economics.costs.models import CostLine
from governance.economics.costs.residual_causes import Charge, Invoiced
from governance.economics.rates import queries as rates
from governance.economics.rates.conversion import MonthRates
from governance.kernel.db import session
from governance.kernel.months import Month

type _Charge = Row[str, str, date, str | None, str | None, str, Decimal, Decimal | None, int]
type Models = Collection[tuple[str, str]]  # provider and model, as usage names them


@dataclass(frozen=True, slots=True)
class NameTable:
    """What names on invoices mean.

    A match of provider and model counts before one of the provider alone; without either, a name
    means itself, whatever its case.
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
    """Return the table for the models that usage has."""
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


def invoiced_by_day(month: Month, known: Models) -> list[Invoiced]:
    """Return the model charges of a month; `known` are the models of its usage.

    Cost is effective and in the reporting currency, unrounded; quantities are in tokens. Raises
    MissingRate, which names the currency and the month.
    """
    table, converted = name_table(known), rates.month_rates(month)
    return [_invoiced(row, table, converted) for row in session().execute(_charges(month))]


def unmatched_names(month: Month, known: Models) -> list[tuple[str, str]]:
    """Return provider and model of the month's invoices that match no model of the usage."""
    table = name_table(known)
    query = (
        select(CostLine.provider, func.coalesce(CostLine.model, ""))
        .where(CostLine.usage_month == str(month), CostLine.pool == "models")
        .distinct()
    )
    names = [(provider, model) for provider, model in session().execute(query)]
    return sorted(name for name in names if not table.find(*name)[2])


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
