"""Billed costs, in the operator's own tenant.

pool_rules()                    in order
current_bills(keys)             bills that a file would replace
month_totals(month)             billed and effective by provider, pool and currency
pools(month)                    effective cost of each pool in the reporting currency
bills(month)                    the bills with charges of the month
grouped_lines(month)            lines without their days, for the page
lines(month)                    every line, for an export
restated_months(import_id)      months whose effective total an import changed
months_changed_since(instant)   months that any import or manual line changed since
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import Select, case, func, select, tuple_

from governance.economics.costs.focus_bill import BillKey
from governance.economics.costs.focus_lines import POOLS, PoolRule
from governance.economics.costs.models import (
    CostBill,
    CostChange,
    CostLine,
    CostPoolRule,
    InvoiceModelName,
)
from governance.economics.rates import queries as rates
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from governance.kernel.months import Month

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Amounts:
    """Billed and effective cost in `currency`."""

    provider: str
    pool: str
    currency: str
    billed: Decimal
    effective: Decimal
    lines: int


@dataclass(frozen=True, slots=True)
class LineGroup:
    """Lines of a month that differ only in day and meter. A manual line is its own group."""

    id: UUID | None  # of a manual line
    provider: str
    service: str
    model: str
    category: str
    is_correction: bool
    pool: str
    currency: str
    invoice_id: str
    note: str
    billed: Decimal
    effective: Decimal
    list_cost: Decimal | None
    source_lines: int


@dataclass(frozen=True, slots=True)
class RestatedMonth:
    """A month's effective total in one currency before and after a change."""

    month: Month
    currency: str
    before: Decimal
    after: Decimal
    corrections: Decimal
    at: datetime

    @property
    def difference(self) -> Decimal:
        return self.after - self.before


def pool_rules() -> Sequence[CostPoolRule]:
    """Return the rules in order of precedence."""
    return session().scalars(select(CostPoolRule).order_by(CostPoolRule.position)).all()


def as_rules(rows: Sequence[CostPoolRule]) -> list[PoolRule]:
    """Return the rules in the form that reading a file takes."""
    return [PoolRule(row.provider, row.service, row.resource, row.pool) for row in rows]


def pool_rule(rule_id: UUID) -> CostPoolRule:
    """Return a rule. Raises NotFound."""
    found = session().scalar(select(CostPoolRule).where(CostPoolRule.id == rule_id))
    if found is None:
        raise NotFound("This rule was removed.")
    return found


def model_names() -> Sequence[InvoiceModelName]:
    """Return the matches of names on invoices."""
    query = select(InvoiceModelName)
    return (
        session()
        .scalars(query.order_by(InvoiceModelName.invoice_provider, InvoiceModelName.invoice_model))
        .all()
    )


def model_name(name_id: UUID) -> InvoiceModelName:
    """Return a match of a name. Raises NotFound."""
    found = session().scalar(select(InvoiceModelName).where(InvoiceModelName.id == name_id))
    if found is None:
        raise NotFound("This name was removed.")
    return found


def current_bills(keys: Collection[BillKey]) -> Sequence[CostBill]:
    """Return the bills with one of these keys that aren't replaced."""
    if not keys:
        return []
    columns = tuple_(
        CostBill.provider, CostBill.period_start, CostBill.period_end, CostBill.invoice_id
    )
    wanted = [(key.provider, key.period_start, key.period_end, key.invoice_id) for key in keys]
    query = select(CostBill).where(CostBill.replaced_at.is_(None), columns.in_(wanted))
    return session().scalars(query.order_by(CostBill.provider, CostBill.invoice_id)).all()


def key_of(bill: CostBill) -> BillKey:
    """Return the key of a bill."""
    return BillKey(bill.provider, bill.period_start, bill.period_end, bill.invoice_id)


def months_of(bill_ids: Collection[UUID]) -> set[str]:
    """Return the usage months that bills have lines in."""
    query = select(CostLine.usage_month).where(CostLine.bill_id.in_(bill_ids)).distinct()
    return set(session().scalars(query))


def effective_totals(months: Collection[str]) -> dict[tuple[str, str], Decimal]:
    """Return the effective total by usage month and currency."""
    query = (
        select(CostLine.usage_month, CostLine.currency, func.sum(CostLine.effective))
        .where(CostLine.usage_month.in_(months))
        .group_by(CostLine.usage_month, CostLine.currency)
    )
    return {(month, currency): total for month, currency, total in session().execute(query)}


def month_totals(month: Month) -> list[Amounts]:
    """Return billed and effective cost by provider, pool and currency, the largest first."""
    query = (
        select(
            CostLine.provider,
            CostLine.pool,
            CostLine.currency,
            func.sum(CostLine.billed),
            func.sum(CostLine.effective),
            func.count(),
        )
        .where(CostLine.usage_month == str(month))
        .group_by(CostLine.provider, CostLine.pool, CostLine.currency)
    )
    found = [Amounts(*row) for row in session().execute(query)]
    return sorted(found, key=lambda each: (-each.effective, each.provider, each.pool))


def pools(month: Month) -> dict[str, Decimal]:
    """Return the effective cost of each pool in the reporting currency, not rounded.

    Raises MissingRate, which names the currency and the month.
    """
    converted = rates.month_rates(month)
    found = dict.fromkeys(POOLS, ZERO)
    for each in month_totals(month):
        found[each.pool] += converted.convert(each.effective, each.currency)
    return found


def bills(month: Month) -> Sequence[CostBill]:
    """Return the bills that have charges of the month."""
    with_lines = (
        select(CostLine.bill_id)
        .where(CostLine.usage_month == str(month), CostLine.bill_id.is_not(None))
        .distinct()
    )
    query = select(CostBill).where(CostBill.id.in_(with_lines))
    order = (CostBill.provider, CostBill.period_start, CostBill.invoice_id, CostBill.currency)
    return session().scalars(query.order_by(*order)).all()


def grouped_lines(month: Month) -> list[LineGroup]:
    """Return the month's lines added up over days and meters, and each manual line."""
    keys = (
        case((CostLine.bill_id.is_(None), CostLine.id)),
        CostLine.provider,
        CostLine.service,
        func.coalesce(CostLine.model, ""),
        CostLine.category,
        CostLine.is_correction,
        CostLine.pool,
        CostLine.currency,
        CostLine.invoice_id,
        CostLine.note,
    )
    sums = (
        func.sum(CostLine.billed),
        func.sum(CostLine.effective),
        case((func.count(CostLine.list_cost) == func.count(), func.sum(CostLine.list_cost))),
        func.sum(CostLine.source_lines),
    )
    query = select(*keys, *sums).where(CostLine.usage_month == str(month)).group_by(*keys)
    return [LineGroup(*row) for row in session().execute(query)]


def lines(month: Month) -> Sequence[CostLine]:
    """Return every line of the month."""
    order = (CostLine.provider, CostLine.day, CostLine.service, CostLine.model, CostLine.id)
    query = select(CostLine).where(CostLine.usage_month == str(month))
    return session().scalars(query.order_by(*order)).all()


def manual_line(line_id: UUID) -> CostLine:
    """Return a manual line. Raises NotFound."""
    query = select(CostLine).where(CostLine.id == line_id, CostLine.bill_id.is_(None))
    found = session().scalar(query)
    if found is None:
        raise NotFound("This line was removed, or belongs to a bill.")
    return found


def months_with_costs() -> tuple[Month, Month] | None:
    """Return the first and the last usage month, or None if there are no lines."""
    query = select(func.min(CostLine.usage_month), func.max(CostLine.usage_month))
    first, last = session().execute(query).one()
    return None if first is None else (Month.parse(first), Month.parse(last))


def restated_months(import_id: UUID) -> list[RestatedMonth]:
    """Return the months whose effective total this import changed, in order."""
    return _changes(select(CostChange).where(CostChange.import_id == import_id))


def months_changed_since(at: datetime) -> list[RestatedMonth]:
    """Return the changes of monthly effective totals after an instant, by import or manual line."""
    return _changes(select(CostChange).where(CostChange.created_at > at))


def _changes(query: Select[CostChange]) -> list[RestatedMonth]:
    order = (CostChange.usage_month, CostChange.currency, CostChange.created_at)
    return [
        RestatedMonth(
            Month.parse(row.usage_month),
            row.currency,
            row.effective_before,
            row.effective_after,
            row.corrections,
            row.created_at,
        )
        for row in session().scalars(query.order_by(*order))
    ]
