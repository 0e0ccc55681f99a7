"""Spend and forecast of a budget, and the thresholds they reach. Pure.

Spend is the cost of usage by day, in the reporting currency. Days are whole days in the operator's
time zone; today counts as far as its usage is known.

    month       from the first to the last day of the calendar month
    rolling     the 30 days that end today

The forecast is simple, so that anyone can verify it: spend so far + the mean of the last 7 full
days × the days left after today. A rolling window has no end, so its forecast is 30 times that
mean. A forecast is never below the spend so far.

The cost of usage without a price is unknown. If there is some, spend and forecast are lower bounds;
if there is no other usage, they are unknown.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from governance.economics.rates.conversion import ProvisionalRate
from governance.kernel.months import Month

type Window = Literal["month", "rolling"]
type Basis = Literal["actual", "forecast"]

ROLLING_DAYS = 30
PACE_DAYS = 7
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Period:
    """The first and last day that count, and the name under which each threshold alerts once."""

    first: date
    last: date
    name: str


@dataclass(frozen=True, slots=True)
class UnpricedUsage:
    """Usage of a model without a price in a period."""

    provider: str  # "" if events don't name one
    model: str
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Outlook:
    """Spend and forecast of a budget. `pace` is the mean cost of the last 7 full days.

    No amount includes `unpriced` usage. `provisional` lists the rates used instead of missing ones.
    """

    period: Period
    amount: Decimal
    spent: Decimal
    pace: Decimal
    days_left: int
    forecast: Decimal
    unpriced: Sequence[UnpricedUsage] = ()
    provisional: Sequence[ProvisionalRate] = ()

    @property
    def is_unknown(self) -> bool:
        """Whether none of the usage has a price."""
        return bool(self.unpriced) and not self.spent

    @property
    def spent_share(self) -> Decimal:
        """Spend as a share of the budget: 0.8 is 80%."""
        return self.spent / self.amount

    @property
    def forecast_share(self) -> Decimal:
        return self.forecast / self.amount


@dataclass(frozen=True, slots=True)
class Crossing:
    """A threshold that was reached, such as "actual" at 80 percent."""

    basis: Basis
    percent: int


def period_of(window: Window, today: date, starts_on: date) -> Period:
    """Return the period that `today` belongs to.

    A month is named "2026-11". A rolling window moves every day, so it is named by the block of 30
    days, counted from `starts_on` (when the budget was created): "2026-11-05". Each threshold
    alerts once per block.
    """
    if window == "month":
        month = Month.of(today)
        return Period(month.first_day, month.last_day, str(month))
    blocks = (today - starts_on).days // ROLLING_DAYS
    begins = starts_on + timedelta(days=blocks * ROLLING_DAYS)
    first = today - timedelta(days=ROLLING_DAYS - 1)
    return Period(first, today, begins.isoformat())


def first_day_needed(window: Window, today: date) -> date:
    """Return the first day whose cost an outlook needs."""
    pace = today - timedelta(days=PACE_DAYS)
    return min(period_of(window, today, today).first, pace)


def outlook(
    window: Window,
    amount: Decimal,
    cost_by_day: Mapping[date, Decimal],
    today: date,
    starts_on: date,
) -> Outlook:
    """Return spend and forecast. Days without an entry cost nothing."""
    period = period_of(window, today, starts_on)
    spent = sum((cost for day, cost in cost_by_day.items() if period.first <= day <= today), ZERO)
    full = [today - timedelta(days=n) for n in range(1, PACE_DAYS + 1)]
    pace = sum((cost_by_day.get(day, ZERO) for day in full), ZERO) / PACE_DAYS
    if window == "rolling":
        return Outlook(period, amount, spent, pace, 0, max(spent, pace * ROLLING_DAYS))
    days_left = (period.last - today).days
    return Outlook(period, amount, spent, pace, days_left, spent + pace * days_left)


def crossings(found: Outlook, actual: Collection[int], forecast: Collection[int]) -> list[Crossing]:
    """Return the thresholds, in percent of the budget, that spend or forecast has reached."""
    reached: list[Crossing] = []
    levels: tuple[tuple[Basis, Decimal, Collection[int]], ...] = (
        ("actual", found.spent, actual),
        ("forecast", found.forecast, forecast),
    )
    for basis, value, thresholds in levels:
        reached += [
            Crossing(basis, percent)
            for percent in sorted(thresholds)
            if value * 100 >= found.amount * percent
        ]
    return reached
