"""Events of evidence."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class EvidenceFileDeleted(Event):
    """The file of a version was deleted permanently, so derived data must be deleted too."""

    version_id: UUID
