"""Exchange rates: finance entered the past months' rates three days ago.

The rates of a month that began since then are entered on its first day.
"""

from collections.abc import Sequence
from decimal import Decimal
from itertools import cycle

from governance.demo import cast
from governance.demo.cast import MONTHS, acting_on, days_ago
from governance.economics.rates import actions as rates
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.months import Month

ENTERED = 3  # days ago


def enter(finance: Actor, currency: str, in_turn: Sequence[Decimal], source: str) -> None:
    """Enter the rates of a currency up to the current month of the operator.

    `in_turn` are the rates of the current month and the months before, used cyclically.
    """
    with clock.frozen(cast.real_now()), current.acting_as(finance), transaction(read_only=True):
        present = rates.present_month()
    first = Month.of(days_ago(ENTERED)).plus(-MONTHS)
    months = [each for back in range(MONTHS + 2) if (each := present.plus(-back)) >= first]
    for month, rate in zip(months, cycle(in_turn), strict=False):
        with acting_on(finance, max(days_ago(ENTERED), month.first_day), hour=9), transaction():
            rates.enter_rate(month, currency, rate, source=source)
