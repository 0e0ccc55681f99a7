"""Ports of the audit log, which features above it fill."""

from collections.abc import Callable
from uuid import UUID

from governance.kernel.ports import Port


def _none(_checkpoint_id: UUID, /) -> str:
    return ""


# The signature lines that witnesses gave for a checkpoint, by its row's id.
cosignatures: Port[Callable[[UUID], str]] = Port(
    "cosignatures of a checkpoint by external witnesses", default=_none
)
