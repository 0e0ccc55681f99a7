"""Events for requesters, to which features that notify people subscribe."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class RequestClosed(Event):
    """A request was approved or rejected, or it expired or became void.

    `state` is one of these words. A withdrawn request publishes nothing: its requester closed it.
    """

    approval_id: UUID
    title: str
    path: str
    state: str
    requesters: tuple[UUID, ...]
