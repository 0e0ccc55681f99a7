"""Events of engagements."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class AuditorAccessEnded(Event):
    """A signed-in auditor no longer has an open engagement.

    `how` is the reason that the audit log records.
    """

    person_id: UUID
    how: str
