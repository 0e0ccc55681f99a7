"""Ports of API keys, which features above them fill."""

from collections.abc import Iterable
from typing import Protocol
from uuid import UUID

from governance.kernel.ports import Port


class KeySubjects(Protocol):
    """The AI systems that a key can be limited to."""

    def choices(self) -> list[tuple[UUID, str]]:
        """Return (id, name) of each system that is not retired."""

    def names(self, ids: Iterable[UUID | None], /) -> dict[UUID, str]:
        """Return names by id, retired systems included."""


subjects: Port[KeySubjects] = Port("AI systems that an API key can be limited to")
