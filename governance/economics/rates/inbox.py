"""The inbox item for missing exchange rates, from the first day of a month until they are entered.

One item names all currencies that had a rate in the past year and have none in the operator's
current month. Until then figures use the last known rate.
"""

from typing import Any

from sqlalchemy import Select, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import aliased

from governance.economics.rates import permissions
from governance.economics.rates.models import ExchangeRate, ReportingCurrency
from governance.economics.rates.queries import DEFAULT_CURRENCY
from governance.foundation.tenants.models import Tenant
from governance.kernel.months import Month
from governance.kernel.work.inbox import NOW, TENANT, InboxRow, InboxSource, item_select

IN_USE = text("interval '1 year'")  # a currency is in use for this long after its last rate


def _awaited() -> Select[Any]:
    rate, entered = ExchangeRate, aliased(ExchangeRate)
    zone = select(Tenant.time_zone).where(Tenant.id == TENANT).scalar_subquery()
    begins = func.date_trunc("month", func.timezone(zone, NOW))
    present = func.to_char(begins, "YYYY-MM")
    chosen = select(ReportingCurrency.currency).where(ReportingCurrency.tenant_id == TENANT)
    reporting = func.coalesce(chosen.scalar_subquery(), literal(DEFAULT_CURRENCY))
    is_entered = exists().where(
        entered.tenant_id == TENANT,
        entered.reporting_currency == rate.reporting_currency,
        entered.currency == rate.currency,
        entered.month == present,
    )
    return (
        item_select(
            rate,
            row_id=func.array_agg(aggregate_order_by(rate.id, rate.month.desc(), rate.id))[1],
            about=func.string_agg(rate.currency.distinct(), ", "),
            place=present,
            since=func.timezone(zone, begins),
        )
        .where(
            rate.reporting_currency == reporting,
            rate.month < present,
            rate.month >= func.to_char(begins - IN_USE, "YYYY-MM"),
            ~is_entered,
        )
        .having(func.count() > 0)
    )


def _title(row: InboxRow) -> str:
    rates = "exchange rates" if "," in row.about else "exchange rate"
    return f"Enter the {rates} of {Month.parse(row.place).long_name}: {row.about}"


AWAITED = InboxSource(
    name="awaited-rates",
    group="reviews",
    needs=permissions.EDIT,
    select=_awaited,
    icon="arrows-exchange",
    verb="Enter",
    title=_title,
    detail=lambda _row: "Until then figures are provisional, at the last known rate.",
    why="you enter exchange rates",
    endpoint="operator_rates.index",
    values=lambda row: {"month": row.place, "currency": row.about.partition(",")[0]},
)
