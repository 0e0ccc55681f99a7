"""The reporting currency and the rates of months, in the operator's own tenant.

reporting_currency()                   "EUR"
month_rates(month)                     the rates of one month, to convert many amounts
months_rates(months)                   those of several months, in the same two statements
provisional_rates()                    which provisional rates the amounts inside were converted with
convert(amount, currency, month)       one amount
entered_rates()                        every rate of the reporting currency
missing_rates(rows, months)            which of these months have no rate of a currency in use

`months_rates` is the only place that says what the rate of a month is: the one entered for it, and
until then the last one before, which is provisional.
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
    """Collect the provisional rates that amounts are converted with inside.

    A page, a file or a close names them, whichever query needed them.
    """
    found = set[ProvisionalRate]()
    token = _noted.set(found)
    try:
        yield found
    finally:
        _noted.reset(token)


def reporting_currency() -> str:
    """Return the ISO 4217 code of the currency that totals are in."""
    return session().scalar(select(ReportingCurrency.currency)) or DEFAULT_CURRENCY


def month_rates(month: Month) -> MonthRates:
    """Return the rates of a month; two statements."""
    return months_rates([month])[month]


def months_rates(months: Collection[Month]) -> dict[Month, MonthRates]:
    """Return the rates of each of these months; two statements.

    A currency without a rate in a month has the last one before it, marked as provisional.
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
    """Return the amount in the reporting currency, not rounded.

    Raises MissingRate, which names the currency and the month, where no earlier month has a rate.
    """
    return month_rates(month).convert(amount, currency)


def entered_rates() -> Sequence[ExchangeRate]:
    """Return every rate of the present reporting currency, the newest month first."""
    query = select(ExchangeRate).where(ExchangeRate.reporting_currency == reporting_currency())
    return session().scalars(query.order_by(ExchangeRate.month.desc(), ExchangeRate.currency)).all()


def missing_rates(
    rows: Sequence[ExchangeRate], months: Collection[Month]
) -> list[tuple[Month, str]]:
    """Return the months and currencies that have no rate, the earliest first.

    A currency is in use once it has a rate. Months before its first rate need none.
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
    """Return the row of a month and currency; None without one."""
    query = select(ExchangeRate).where(
        ExchangeRate.reporting_currency == reporting_currency(),
        ExchangeRate.month == str(month),
        ExchangeRate.currency == currency,
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()
