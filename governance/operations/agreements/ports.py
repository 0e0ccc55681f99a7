"""Ports of agreements that features above them implement."""

from collections.abc import Callable

from governance.kernel.months import Month
from governance.kernel.ports import Port


def _none() -> Month | None:
    return None


# The newest month with a closed statement in the acting tenant, or None before the first.
last_closed_month: Port[Callable[[], Month | None]] = Port("the last closed month", _none)
