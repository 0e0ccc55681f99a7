"""Handle assessments of an AI system that changed substantially.

Such an assessment is outdated unless a person confirms that it is still valid.
"""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.assessments import permissions
from governance.assurance.assessments.models import Assessment
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.safety.access import require
from governance.operations.systems.events import SystemChanged

OUTDATED = action(
    "assessment.outdated",
    "made an assessment outdated by a substantial change",
    target="Assessment",
    activity="update",
    severity="low",
    fields="title version reasons",
    shape="bad",
)


CONFIRMED = action(
    "assessment.confirmed",
    "confirmed that an assessment is still valid after a substantial change",
    target="Assessment",
    activity="update",
    severity="low",
    fields="title version",
    shape="ok",
)


def confirm(assessment_id: UUID, reason: str) -> None:
    """Remove the mark of a substantial change. The next change sets it again."""
    require(permissions.MANAGE)
    found = find(Assessment, assessment_id, what="assessment", lock=True)
    version = found.stale_version
    found.stale_since = found.stale_version = None
    record(CONFIRMED, found, reason=reason, title=found.title, version=version)


def mark_outdated(changed: SystemChanged) -> None:
    """Mark the assessments of this system as outdated. Existing marks don't change."""
    if not changed.substantial:
        return
    for each in _current(changed.system_id):
        each.stale_since, each.stale_version = clock.now(), changed.version
        record(
            OUTDATED,
            each,
            title=each.title,
            version=changed.version,
            reasons=list(changed.substantial),
        )


def _current(system_id: UUID) -> list[Assessment]:
    query = select(Assessment).where(
        Assessment.system_id == system_id, Assessment.stale_since.is_(None)
    )
    return list(session().scalars(query.order_by(Assessment.id).with_for_update()))
