"""What requesters are told: features that notify people subscribe."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class RequestClosed(Event):
    """A request was approved or rejected, or it expired or became void.

    `state` is one of these words. Withdrawn requests aren't told: their requester closed them.
    """

    approval_id: UUID
    title: str
    path: str
    state: str
    requesters: tuple[UUID, ...]
