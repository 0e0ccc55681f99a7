"""Events of evidence."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class EvidenceFileDeleted(Event):
    """The file of a version was deleted permanently; what was made of it goes too."""

    version_id: UUID
