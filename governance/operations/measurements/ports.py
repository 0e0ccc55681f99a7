"""Ports of measurements that features above them implement."""

from collections.abc import Callable

from governance.kernel.months import Month
from governance.kernel.ports import Port


def _none_needed() -> Month | None:
    return None


# The earliest month of UTC whose minutes the acting tenant still needs for an open or disputed
# statement, regardless of age. None: only the retention decides.
minutes_needed_since: Port[Callable[[], Month | None]] = Port(
    "months whose minutes are still needed", _none_needed
)
