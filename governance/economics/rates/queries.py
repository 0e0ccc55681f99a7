"""Queries of the reporting currency and monthly rates, in the operator's own tenant.

reporting_currency()                   "EUR"
month_rates(month)                     the rates of one month, to convert many amounts
months_rates(months)                   the rates of several months, in the same two statements
provisional_rates()                    collect the provisional rates that conversions use
convert(amount, currency, month)       one amount
entered_rates()                        every rate of the reporting currency
missing_rates(rows, months)            months without a rate of a currency in use

Only `months_rates` decides which rate a month has: the one entered for it, or until then the last
earlier one, which is provisional.
"""

from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal

from sqlalchemy import select

from governance.economics.rates.conversion import MonthRates, ProvisionalRate
from governance.economics.rates.models import ExchangeRate, ReportingCurrency
from governance.kernel.data.db import session
from governance.kernel.months import Month

DEFAULT_CURRENCY = "EUR"

_noted: ContextVar[set[ProvisionalRate] | None] = ContextVar("provisional_rates", default=None)


@contextmanager
def provisional_rates() -> Generator[set[ProvisionalRate]]:
    """Collect the provisional rates that conversions use inside this context.

    A page, a file or a close lists them, whichever query needed them.
    """
    found = set[ProvisionalRate]()
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def reporting_currency() -> str:
    """Return the ISO 4217 code of the currency of totals."""
    return session().scalar(select(ReportingCurrency.currency)) or DEFAULT_CURRENCY


def month_rates(month: Month) -> MonthRates:
    """Return the rates of a month, in two statements."""
    return months_rates([month])[month]


def months_rates(months: Collection[Month]) -> dict[Month, MonthRates]:
    """Return the rates of each of these months, in two statements.

    A currency without a rate in a month uses its last earlier rate, marked as provisional.
    """
    reporting, noted = reporting_currency(), _noted.get()
    query = select(ExchangeRate.month, ExchangeRate.currency, ExchangeRate.rate).where(
        ExchangeRate.reporting_currency == reporting,
        ExchangeRate.month <= str(max(months, default="")),
    )
    entered = [
        (Month.parse(row.month), row.currency, row.rate)
        for row in session().execute(query.order_by(ExchangeRate.month))
    ]
    return {
        month: MonthRates(
            month,
            reporting,
            {currency: rate for of, currency, rate in entered if of == month},
            {currency: (of, rate) for of, currency, rate in entered if of < month},
            set() if noted is None else noted,
        )
        for month in months
    }


def convert(amount: Decimal, currency: str, month: Month) -> Decimal:
    """Return the amount in the reporting currency, unrounded.

    Raises MissingRate if neither the month nor an earlier one has a rate.
    """
    return month_rates(month).convert(amount, currency)


def entered_rates() -> Sequence[ExchangeRate]:
    """Return every rate of the current reporting currency, the newest month first."""
    query = select(ExchangeRate).where(ExchangeRate.reporting_currency == reporting_currency())
    return session().scalars(query.order_by(ExchangeRate.month.desc(), ExchangeRate.currency)).all()


def missing_rates(
    rows: Sequence[ExchangeRate], months: Collection[Month]
) -> list[tuple[Month, str]]:
    """Return the months and currencies without a rate, the earliest first.

    A currency is in use from its first rate on. Months before that need no rate.
    """
    entered = {(Month.parse(row.month), row.currency) for row in rows}
    first = {currency: month for month, currency in sorted(entered, reverse=True)}
    return [
        (month, currency)
        for month in sorted(months)
        for currency in sorted(first)
        if month > first[currency] and (month, currency) not in entered
    ]


def entered_rate(month: Month, currency: str, *, lock: bool = False) -> ExchangeRate | None:
    """Return the row of a month and currency, or None."""
    query = select(ExchangeRate).where(
        ExchangeRate.reporting_currency == reporting_currency(),
        ExchangeRate.month == str(month),
        ExchangeRate.currency == currency,
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()
