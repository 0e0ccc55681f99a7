"""Ports of maintenance that features above it implement."""

from collections.abc import Callable
from uuid import UUID

from governance.kernel.ports import Port

DEFAULT_NOTICE_HOURS = 48

type RequiredNotice = Callable[[UUID | None], int]

# Hours of notice that maintenance of this system needs (None: all systems), from agreements.
required_notice: Port[RequiredNotice] = Port(
    "notice of maintenance", default=lambda _system_id: DEFAULT_NOTICE_HOURS
)
