"""Queries for the evidence of closed reviews."""

from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.incidents.models import IncidentReview
from governance.kernel.data.db import session


def evidence_of(review: IncidentReview) -> tuple[UUID, str] | None:
    """Return the id and the ref of the evidence, or None until the review is filed."""
    if review.evidence_version_id is None:
        return None
    query = (
        select(Evidence.id, Evidence.ref)
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .where(EvidenceVersion.id == review.evidence_version_id)
    )
    row = session().execute(query).one_or_none()
    return (row.id, row.ref) if row is not None else None
