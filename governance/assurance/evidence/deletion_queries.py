"""Queries for legal holds, retention rules and requests to delete files permanently."""

from datetime import date
from uuid import UUID

from sqlalchemy import and_, select

from governance.assurance.evidence import deletion_guard
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceHold,
    EvidenceRetention,
    EvidenceVersion,
)
from governance.assurance.evidence.queries import find_version
from governance.assurance.evidence.retention import kept_until
from governance.foundation.people.aliases import shown_names, who_did
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows, one_of

DELETION = "destruction of evidence"  # The name of the approval kind.


HOLDS = Rows(
    EvidenceHold,
    lambda m: and_(one_of(m.evidence_id, "evidence_ids"), m.released_at.is_(None)),
    lambda m: (m.id,),
)


def hold_on(evidence_id: UUID) -> EvidenceHold | None:
    return next(iter(HOLDS.read(evidence_ids=(evidence_id,))), None)


def retention_rules() -> dict[str, EvidenceRetention]:
    return {rule.kind: rule for rule in session().scalars(select(EvidenceRetention))}


def retention_rule(kind: str, *, lock: bool = False) -> EvidenceRetention | None:
    query = select(EvidenceRetention).where(EvidenceRetention.kind == kind)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def deletion_of(version: EvidenceVersion, *states: str) -> EvidenceDeletion | None:
    """Return the deletion request of a version in one of these states, if any.

    A version has at most one request that is requested, approved or done.
    """
    query = select(EvidenceDeletion).where(
        EvidenceDeletion.version_id == version.id, EvidenceDeletion.state.in_(states)
    )
    return session().scalars(query).one_or_none()


def deletion_request(
    deletion_id: UUID, *, lock: bool = False
) -> tuple[EvidenceDeletion, EvidenceVersion, Evidence]:
    request = find(EvidenceDeletion, deletion_id, what="request", lock=lock)
    return request, *find_version(request.version_id)


def deletions() -> list[tuple[EvidenceDeletion, EvidenceVersion, Evidence, str]]:
    """List the requests that await approval, oldest first, with the names of their requesters."""
    d, v = EvidenceDeletion, EvidenceVersion
    query = (
        select(d, v, Evidence)
        .join(v, v.id == d.version_id)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(d.state == "requested")
        .order_by(d.created_at)
    )
    rows = session().execute(query).all()
    shown = shown_names(request.requested_by for request, _, _ in rows)
    return [
        (request, version, evidence, who_did(shown, request.requested_by))
        for request, version, evidence in rows
    ]


def past_retention(today: date) -> list[tuple[EvidenceVersion, Evidence, EvidenceRetention]]:
    """List files past the retention of their kind without an earlier deletion request.

    Files that are still valid, on hold, or blocked by another feature are left out. A request that
    was stopped doesn't count, since nobody decided to keep the file.
    """
    rules = {kind: rule for kind, rule in retention_rules().items() if rule.months is not None}
    if not rules:
        return []
    d = EvidenceDeletion
    request = select(d.id).where(d.version_id == EvidenceVersion.id, d.state != "stopped")
    on_hold = select(EvidenceHold.id).where(
        EvidenceHold.evidence_id == Evidence.id, EvidenceHold.released_at.is_(None)
    )
    query = (
        select(EvidenceVersion, Evidence)
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .where(
            Evidence.kind.in_(rules),
            EvidenceVersion.storage_key.is_not(None),
            EvidenceVersion.valid_until < today,
            ~request.exists(),
            ~on_hold.exists(),
        )
        .order_by(EvidenceVersion.uploaded_at)
    )
    rows = [
        (version, evidence, rules[evidence.kind]) for version, evidence in session().execute(query)
    ]
    past = [row for row in rows if (kept_until(row[0].valid_until, row[2].months) or today) < today]
    kept = deletion_guard.blocked_versions([version.id for version, _, _ in past])
    return [row for row in past if row[0].id not in kept]
