"""Ports of saved views, which features above them fill."""

from collections.abc import Callable, Hashable
from typing import Any

from governance.kernel.ports import Port


def _compute(_key: Hashable, make: Callable[[], Any]) -> Any:
    return make()


recall: Port[Callable[[Hashable, Callable[[], Any]], Any]] = Port(
    "a value of the tenant's facts, remembered until a fact changes", default=_compute
)
