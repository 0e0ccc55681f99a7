"""What prices ask of the features above them."""

from collections.abc import Callable, Collection

from governance.kernel.months import Month
from governance.kernel.ports import Port


def _none() -> Collection[Month]:
    return ()


# months whose figures are frozen: their usage is not priced again
closed_months: Port[Callable[[], Collection[Month]]] = Port("closed months of reviews", _none)
