"""What measurements ask of the features above them."""

from collections.abc import Callable

from governance.kernel.months import Month
from governance.kernel.ports import Port


def _none_needed() -> Month | None:
    return None


# The earliest month of UTC whose minutes the acting tenant still needs, whatever their age: for a
# statement that is open or disputed. None: the retention alone decides.
minutes_needed_since: Port[Callable[[], Month | None]] = Port(
    "months whose minutes are still needed", _none_needed
)
