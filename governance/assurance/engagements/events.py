"""Events of engagements."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class AuditorAccessEnded(Event):
    """An auditor with a session has no open engagement any more.

    `how` is the reason in the audit log.
    """

    person_id: UUID
    how: str
