"""Lookup of the evidence that a finished run created."""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.playbooks.models import PlaybookRun
from governance.kernel.data.db import session


def evidence_of(run: PlaybookRun) -> tuple[UUID, str, int] | None:
    """Return (evidence id, ref, version number), or None before the run is finished."""
    if run.evidence_version_id is None:
        return None
    query = (
        select(Evidence.id, Evidence.ref, EvidenceVersion.number)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .where(EvidenceVersion.id == run.evidence_version_id)
    )
    found = session().execute(query).one_or_none()
    return (found[0], found[1], found[2]) if found else None
