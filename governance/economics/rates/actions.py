"""Enter exchange rates and choose the reporting currency.

enter_rate                 enter a currency's rate for a month, or replace it
change_reporting_currency  change the currency of totals
"""

from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from governance.economics.formulas.currencies import is_currency
from governance.economics.rates import queries
from governance.economics.rates.conversion import check_rate
from governance.economics.rates.models import ExchangeRate, ReportingCurrency
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid
from governance.kernel.months import Month

ENTERED = action(
    "rate.entered",
    "entered an exchange rate",
    target="ExchangeRate",
    activity="create",
    severity="low",
    fields="month currency reporting_currency rate source",
)
REPLACED = action(
    "rate.replaced",
    "replaced an exchange rate",
    target="ExchangeRate",
    activity="update",
    severity="low",
    fields="month currency reporting_currency rate source",
)
CURRENCY_CHANGED = action(
    "reporting_currency.changed",
    "changed the reporting currency",
    target="ReportingCurrency",
    activity="update",
    severity="medium",
    fields="currency",
)
MAX_SOURCE_LENGTH = 200


def enter_rate(month: Month, currency: str, rate: Decimal, *, source: str) -> ExchangeRate:
    """Store the value of one unit of `currency` in the reporting currency, for a month.

    Replaces the month's earlier rate, which stays in the audit log. Does nothing if rate and source
    are unchanged. Raises Invalid.
    """
    lock_tenant("rates")
    reporting, source = queries.reporting_currency(), source.strip()
    _check_currency(currency)
    check_rate(rate)
    if currency == reporting:
        raise Invalid(
            f"{currency} is the reporting currency: its rate is always 1.", field="currency"
        )
    if month > present_month():
        raise Invalid(f"{month.long_name} is still to come.", field="month")
    if not 0 < len(source) <= MAX_SOURCE_LENGTH:
        raise Invalid(
            f"Name the source of the rate in up to {MAX_SOURCE_LENGTH} characters.", field="source"
        )
    found = queries.entered_rate(month, currency, lock=True)
    if found is None:
        return _add(month, currency, rate, source)
    if (found.rate, found.source) != (rate, source):
        before = {"rate": found.rate, "source": found.source}
        found.rate, found.source, found.entered_by = rate, source, current.actor().person_id
        after = {"rate": rate, "source": source}
        record(REPLACED, found, before=_texts(before), after=_texts(after), **_named(found))
    return found


def _add(month: Month, currency: str, rate: Decimal, source: str) -> ExchangeRate:
    made = ExchangeRate(
        reporting_currency=queries.reporting_currency(),
        month=str(month),
        currency=currency,
        rate=rate,
        source=source,
        entered_by=current.actor().person_id,
    )
    session().add(made)
    record(ENTERED, made, rate=f"{rate:f}", source=source, **_named(made))
    return made


def _named(row: ExchangeRate) -> dict[str, Any]:
    return {
        "month": row.month,
        "currency": row.currency,
        "reporting_currency": row.reporting_currency,
    }


def _texts(values: dict[str, object]) -> dict[str, str]:
    return {
        name: f"{value.normalize():f}" if isinstance(value, Decimal) else str(value)
        for name, value in values.items()
    }


def change_reporting_currency(currency: str) -> None:
    """Change the currency of totals. Raises Invalid if `currency` isn't a currency.

    Each rate belongs to the reporting currency it was entered for, so a new currency needs new
    rates. Earlier rates apply again after a change back.
    """
    lock_tenant("rates")
    _check_currency(currency)
    before = queries.reporting_currency()
    if currency == before:
        return
    row = session().scalars(select(ReportingCurrency)).one_or_none()
    if row is None:
        row = ReportingCurrency(currency=currency)
        session().add(row)
    row.currency = currency
    record(CURRENCY_CHANGED, row, before={"currency": before}, after={"currency": currency})


def _check_currency(currency: str) -> None:
    if not is_currency(currency):
        raise Invalid("Choose a currency of ISO 4217, such as USD.", field="currency")


def present_month() -> Month:
    """Return the current month in the operator's time zone."""
    return Month.of(clock.now().astimezone(ZoneInfo(operator_time_zone())).date())
