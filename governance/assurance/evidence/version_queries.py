"""Queries for the versions of an evidence item, with the people who uploaded or reviewed them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, select

from governance.assurance.evidence import permissions
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceFault,
    EvidencePush,
    EvidenceReview,
    EvidenceVersion,
    EvidenceWithdrawal,
)
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.evidence.visibility import WHOLE, visible_scope
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.people.aliases import shown_names, who_did
from governance.kernel.data.db import session
from governance.kernel.data.selects import Selected, one_of
from governance.kernel.safety.access import matching


@dataclass(frozen=True, slots=True)
class VersionView:
    """A version for display, with the names that the reader may see."""

    id: UUID
    number: int
    filename: str | None
    media_type: str | None
    size: int | None
    sha256: str | None
    url: str | None
    source: str
    collected_at: datetime
    uploaded_at: datetime
    uploaded_by: UUID | None
    collector: str
    period_from: date
    period_to: date
    valid_until: date
    review: str
    reason: str
    reviewer: str | None
    reviewed_at: datetime | None
    fault: str | None  # "missing" or "altered".
    deletion: str | None  # "requested", "approved" or "done".
    key_name: str  # The API key that uploaded it, or "".
    key_hands: Sequence[str]  # Ids of the people who saw the secret of that key.
    withdrawn: str | None  # The reason for its withdrawal.

    @property
    def is_gone(self) -> bool:
        return self.deletion in DECIDED

    @property
    def covers(self) -> str:
        return period_label(self.period_from, self.period_to)


def may_review(version_id: Any) -> ColumnElement[bool]:
    """Return the SQL condition that the acting person may review the version with this id."""
    v = EvidenceVersion
    return select(v.id).where(v.id == version_id, matching(permissions.REVIEW, v)).exists()


def _versions() -> Select[*tuple[Any, ...]]:
    v, r, gone = EvidenceVersion, EvidenceReview, EvidenceDeletion
    return (
        select(
            v,
            r.decision,
            r.reason,
            r.reviewed_by,
            r.reviewed_at,
            EvidenceFault.kind,
            gone.state,
            ApiKey.name,
            ApiKey.hands,
            EvidenceWithdrawal.reason,
        )
        .outerjoin(r, r.version_id == v.id)
        .outerjoin(
            EvidenceFault,
            and_(EvidenceFault.version_id == v.id, EvidenceFault.restored_at.is_(None)),
        )
        .outerjoin(gone, and_(gone.version_id == v.id, gone.state.in_(("requested", *DECIDED))))
        .outerjoin(ApiKey, ApiKey.id == v.key_id)
        .outerjoin(EvidenceWithdrawal, EvidenceWithdrawal.version_id == v.id)
        .where(one_of(v.evidence_id, "evidence_ids"))
        .order_by(v.number.desc())
    )


VERSIONS = Selected[tuple[Any, ...]](_versions)  # For readers who see all versions of an item.


def shown_versions(evidence: Evidence) -> list[VersionView]:
    """List the visible versions, newest first, with reviews and file states, in two statements."""
    rows: Sequence[Sequence[Any]]
    if (seen := visible_scope()) is WHOLE:
        rows = VERSIONS.read(evidence_ids=(evidence.id,))
    else:
        query = _versions().where(*seen.of_versions())
        rows = session().execute(query, {"evidence_ids": [evidence.id]}).all()
    shown = shown_names(person for v, _, _, by, *_ in rows for person in (v.uploaded_by, by))
    return [_version_view(row, shown) for row in rows]


def _version_view(row: Sequence[Any], shown: Mapping[UUID, str]) -> VersionView:
    v, decision, reason, reviewer, reviewed_at, fault, deletion, key, hands, withdrawn = row
    collector = f"API key {key}" if key else who_did(shown, v.uploaded_by)
    return VersionView(
        v.id,
        v.number,
        v.filename,
        v.media_type,
        v.size,
        v.sha256,
        v.url,
        v.source,
        v.collected_at,
        v.uploaded_at,
        v.uploaded_by,
        collector,
        v.period_from,
        v.period_to,
        v.valid_until,
        decision or "pending",
        reason or "",
        who_did(shown, reviewer) if decision else None,
        reviewed_at,
        fault,
        deletion,
        key or "",
        hands or (),
        withdrawn,
    )


def versions_of(evidence: Evidence) -> Select[EvidenceVersion]:
    """Select the versions whose file isn't deleted or approved for deletion, by number."""
    return (
        select(EvidenceVersion)
        .where(EvidenceVersion.evidence_id == evidence.id, is_not_deleted())
        .order_by(EvidenceVersion.number)
    )


def is_not_deleted() -> Any:
    """Return the SQL condition that the file isn't deleted or approved for deletion."""
    return has_no_deletion(*DECIDED)


def has_no_deletion(*states: str) -> Any:
    d = EvidenceDeletion
    return ~select(d.id).where(d.version_id == EvidenceVersion.id, d.state.in_(states)).exists()


def counts_as_evidence() -> Any:
    """Return the SQL condition that it isn't withdrawn, and its file isn't deleted or faulty."""
    broken = select(EvidenceFault.id).where(
        EvidenceFault.version_id == EvidenceVersion.id, EvidenceFault.restored_at.is_(None)
    )
    return and_(is_not_deleted(), ~broken.exists(), is_not_withdrawn())


def is_not_withdrawn() -> Any:
    """Return the SQL condition that the version wasn't withdrawn."""
    w = EvidenceWithdrawal
    return ~select(w.id).where(w.version_id == EvidenceVersion.id).exists()


def withdrawal_of(version: EvidenceVersion) -> EvidenceWithdrawal | None:
    """Return the withdrawal of a version, if any."""
    query = select(EvidenceWithdrawal).where(EvidenceWithdrawal.version_id == version.id)
    return session().scalars(query).one_or_none()


def earlier_push(key_id: UUID, idempotency_key: str) -> EvidencePush | None:
    query = select(EvidencePush).where(
        EvidencePush.key_id == key_id, EvidencePush.idempotency_key == idempotency_key
    )
    return session().scalars(query).one_or_none()
