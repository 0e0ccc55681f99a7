"""Prices by model and day, in the reporting currency. Pure."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from itertools import groupby
from uuid import UUID

from governance.economics.prices.model_names import match_key
from governance.economics.prices.pricing import ModelPrice, price_on
from governance.economics.rates.conversion import MonthRates
from governance.economics.usage.request_costs import UnitPrice
from governance.kernel.months import Month

DAY = timedelta(days=1)


def unit_prices(
    month: Month,
    customer_id: UUID | None,
    models: Collection[tuple[str, str]],
    book: Mapping[str, Sequence[ModelPrice]],
    rates: MonthRates,
) -> list[UnitPrice]:
    """Return the prices of these (provider, model) pairs on each day of the month.

    The customer's negotiated prices take precedence over the list's. Without a customer, only list
    prices apply. A model without a price, or in a currency that has no rate up to the month, is
    left out.
    """
    found = []
    for provider, model in sorted(models):
        every = book.get(match_key(provider, model), ())
        for first, last, price in _spells(month, customer_id, every):
            if not rates.has(price.currency):
                continue
            rate = rates.rate(price.currency)
            found.append(
                UnitPrice(
                    provider,
                    model,
                    first,
                    last,
                    {bucket: each * rate for bucket, each in price.per_million.items()},
                    price.per_request * rate,
                    price.currency,
                )
            )
    return found


def _spells(
    month: Month, customer_id: UUID | None, every: Sequence[ModelPrice]
) -> list[tuple[date, date, ModelPrice]]:
    """Return first day, last day and price of each run of days with the same price."""
    days = [month.first_day + n * DAY for n in range(month.last_day.day)]
    runs = groupby(days, key=lambda day: price_on(every, day, customer_id))
    found = [(price, list(run)) for price, run in runs]
    return [(run[0], run[-1], price) for price, run in found if price is not None]
