"""The reporting currency and the rates of months, in the operator's own tenant.

reporting_currency()                   "EUR"
month_rates(month)                     the rates of one month, to convert many amounts
months_rates(months)                   those of several months, in the same two statements
convert(amount, currency, month)       one amount
entered_rates()                        every rate of the reporting currency
"""

from collections.abc import Collection, Sequence
from decimal import Decimal

from sqlalchemy import select

from governance.economics.rates.conversion import MonthRates
from governance.economics.rates.models import ExchangeRate, ReportingCurrency
from governance.kernel.db import session
from governance.kernel.months import Month

DEFAULT_CURRENCY = "EUR"


def reporting_currency() -> str:
    """Return the ISO 4217 code of the currency that totals are in."""
    return session().scalar(select(ReportingCurrency.currency)) or DEFAULT_CURRENCY


def month_rates(month: Month) -> MonthRates:
    """Return the rates of a month; two statements."""
    return months_rates([month])[month]


def months_rates(months: Collection[Month]) -> dict[Month, MonthRates]:
    """Return the rates of each of these months; two statements."""
    reporting = reporting_currency()
    found: dict[str, dict[str, Decimal]] = {str(month): {} for month in months}
    query = select(ExchangeRate.month, ExchangeRate.currency, ExchangeRate.rate).where(
        ExchangeRate.reporting_currency == reporting, ExchangeRate.month.in_(found)
    )
    for row in session().execute(query):
        found[row.month][row.currency] = row.rate
    return {month: MonthRates(month, reporting, found[str(month)]) for month in months}


def convert(amount: Decimal, currency: str, month: Month) -> Decimal:
    """Return the amount in the reporting currency, not rounded.

    Raises MissingRate, which names the currency and the month.
    """
    return month_rates(month).convert(amount, currency)


def entered_rates() -> Sequence[ExchangeRate]:
    """Return every rate of the present reporting currency, the newest month first."""
    query = select(ExchangeRate).where(ExchangeRate.reporting_currency == reporting_currency())
    return session().scalars(query.order_by(ExchangeRate.month.desc(), ExchangeRate.currency)).all()


def entered_rate(month: Month, currency: str, *, lock: bool = False) -> ExchangeRate | None:
    """Return the row of a month and currency; None without one."""
    query = select(ExchangeRate).where(
        ExchangeRate.reporting_currency == reporting_currency(),
        ExchangeRate.month == str(month),
        ExchangeRate.currency == currency,
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()
