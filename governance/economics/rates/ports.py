"""What the features of economics ask of reviews, which close months."""

from collections.abc import Callable, Collection

from governance.kernel.months import Month
from governance.kernel.ports import Port

closed_months: Port[Callable[[], Collection[Month]]] = Port(
    "months that are closed and never change", lambda: ()
)
