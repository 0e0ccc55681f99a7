"""Ports through which economics features learn which months reviews closed."""

from collections.abc import Callable, Collection

from governance.kernel.months import Month
from governance.kernel.ports import Port

closed_months: Port[Callable[[], Collection[Month]]] = Port(
    "months that are closed and never change", lambda: ()
)
