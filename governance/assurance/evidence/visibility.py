"""Visibility of evidence: everything, or the scope of an auditor's engagements.

    visible_scope() → VisibleScope   the scope of the acting person, read once per transaction
    WHOLE             everything, also for deriving statuses

The scope comes from kernel/safety/visibility_scope.py. If an item is out of scope, auditors still
see its versions that were provided to them.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select

from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.kernel import current
from governance.kernel.data.db import among, session
from governance.kernel.safety.visibility_scope import scope_of

CACHE_KEY = "the evidence that auditors may view"


@dataclass(frozen=True, slots=True)
class VisibleScope:
    """The ids of visible rows. None means everything."""

    evidence: frozenset[UUID] | None = None
    versions: frozenset[UUID] = frozenset()
    controls: frozenset[UUID] | None = None

    def of_pieces(self) -> list[ColumnElement[bool]]:
        """Return the SQL conditions on Evidence."""
        if self.evidence is None:
            return []
        provided = select(EvidenceVersion.evidence_id).where(
            among(EvidenceVersion.id, self.versions)
        )
        return [or_(among(Evidence.id, self.evidence), Evidence.id.in_(provided))]

    def of_versions(self) -> list[ColumnElement[bool]]:
        """Return the SQL conditions on EvidenceVersion."""
        if self.evidence is None:
            return []
        v = EvidenceVersion
        return [or_(among(v.evidence_id, self.evidence), among(v.id, self.versions))]

    def of_controls(self, control_id: Any) -> list[ColumnElement[bool]]:
        """Return the SQL conditions on the id of a supported control."""
        return [] if self.controls is None else [among(control_id, self.controls)]

    def holds(self, evidence_id: UUID) -> bool:
        """Check whether the whole item is visible, not only the versions that were provided."""
        return self.evidence is None or evidence_id in self.evidence

    def shows(self, evidence_id: UUID) -> bool:
        if self.holds(evidence_id):
            return True
        v = EvidenceVersion
        provided = (
            select(v.id).where(v.evidence_id == evidence_id, among(v.id, self.versions)).limit(1)
        )
        return session().scalar(provided) is not None

    def shows_version(self, version: EvidenceVersion) -> bool:
        return version.id in self.versions or self.holds(version.evidence_id)


WHOLE = VisibleScope()


def visible_scope() -> VisibleScope:
    who, told = current.actor(), session().info
    known: tuple[Any, VisibleScope] | None = told.get(CACHE_KEY)
    if known is None or known[0] != who:
        held = scope_of(who)
        known = told[CACHE_KEY] = (
            who,
            WHOLE if held is None else VisibleScope(held.evidence, held.versions, held.controls),
        )
    return known[1]
