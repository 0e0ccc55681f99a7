"""What engagements tell whoever acts on the end of an auditor's access."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.events import Event


@dataclass(frozen=True, slots=True)
class AuditorAccessEnded(Event):
    """None of this auditor's engagements is open any more, and they had a session.

    `how` is the reason that the log keeps.
    """

    person_id: UUID
    how: str
