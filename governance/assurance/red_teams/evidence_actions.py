"""Link versions of evidence items to a red-team finding, and remove the links.

A link is to a version, not to its item, so that the proof of the finding never changes.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.version_choices import usable_version
from governance.assurance.red_teams import permissions, queries
from governance.assurance.red_teams.models import RedTeamEvidence, RedTeamFinding
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.errors import Invalid, Stale
from governance.kernel.safety.access import require

FIELDS = "ref evidence number sha256"
LINKED = action(
    "red_team.finding.evidence.linked",
    "linked evidence to a finding of a red team",
    target="RedTeamFinding",
    activity="update",
    severity="informational",
    fields=FIELDS,
    shape="up",
)
UNLINKED = action(
    "red_team.finding.evidence.unlinked",
    "unlinked evidence from a finding of a red team",
    target="RedTeamFinding",
    activity="update",
    severity="informational",
    fields=FIELDS,
    shape="down",
)
MAX_LINKS = 20


def link(found: RedTeamFinding, version_id: UUID | None) -> RedTeamEvidence:
    """Link a version, once.

    Raise Invalid for a version that can't be linked or that the person may not view. Raise Stale if
    the finding has ended.
    """
    _check_may_link(found)
    version = usable_version(version_id) if version_id else None
    if version is None:
        raise Invalid(
            "This version can't be linked: it was rejected or withdrawn, its file was deleted, or"
            " it doesn't exist. Choose another.",
            field="version_id",
        )
    there = _links(found.id)
    if version.id in there:
        return there[version.id]
    if len(there) >= MAX_LINKS:
        raise Invalid(
            f"A finding has {MAX_LINKS} evidence versions at most. Remove one first.",
            field="version_id",
        )
    made = RedTeamEvidence(
        finding_id=found.id,
        version_id=version.id,
        linked_by=current.person_id(),
        removed_at=None,
        created_at=clock.now(),
    )
    session().add(made)
    session().flush()
    record(LINKED, found, **_facts(found, version))
    return made


def unlink(found: RedTeamFinding, link: RedTeamEvidence) -> None:
    """Remove a link; the audit log keeps it. Idempotent."""
    _check_may_link(found)
    session().refresh(link)
    if link.removed_at is not None:
        return
    link.removed_at = clock.now()
    session().flush()
    record(UNLINKED, found, **_facts(found, find(EvidenceVersion, link.version_id, what="version")))


def _check_may_link(found: RedTeamFinding) -> None:
    require(permissions.ATTACK, on=queries.red_team(found.red_team_id))
    session().refresh(found, with_for_update=True)
    if not found.is_open:
        raise Stale(f"{found.ref} is {found.shown_state[1].lower()}. Its evidence stays as it is.")


def _links(finding_id: UUID) -> dict[UUID, RedTeamEvidence]:
    """Return the links of a finding by version, including those that the person may not view."""
    link = RedTeamEvidence
    query = select(link).where(link.finding_id == finding_id, link.removed_at.is_(None))
    return {each.version_id: each for each in session().scalars(query)}


def _facts(found: RedTeamFinding, version: EvidenceVersion) -> dict[str, Any]:
    evidence = session().scalars(select(Evidence.ref).where(Evidence.id == version.evidence_id))
    return {
        "ref": found.ref,
        "evidence": evidence.one(),
        "number": version.number,
        "sha256": version.sha256,
    }
