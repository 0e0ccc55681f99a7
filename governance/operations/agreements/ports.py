"""What agreements ask of the features above them."""

from collections.abc import Callable

from governance.kernel.months import Month
from governance.kernel.ports import Port


def _none() -> Month | None:
    return None


# The newest month whose statement is closed in the acting tenant; None before the first.
last_closed_month: Port[Callable[[], Month | None]] = Port("the last closed month", _none)
