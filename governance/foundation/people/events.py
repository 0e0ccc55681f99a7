"""Events for owners of objects, and for admins; features that notify people subscribe."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class OwnerAssigned(Event):
    """An object has a new owner.

    `title` is what people call the object, `path` its page below the tenant's address, `entry_id`
    the entry of the audit log.
    """

    owner_id: UUID
    title: str
    path: str
    entry_id: UUID


@dataclass(frozen=True, slots=True)
class AdminAdded(Event):
    """A member has become an admin, by any way. `entry_id` is the entry of the audit log."""

    person_id: UUID
    name: str
    entry_id: UUID
