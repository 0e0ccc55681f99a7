"""Evidence versions attached to requests, and the versions that can be attached."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    select,
)

from governance.assurance.engagements import scope_queries
from governance.assurance.engagements.models import (
    Engagement,
    RequestAttachment,
)
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceDeletion,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.evidence.version_queries import is_not_withdrawn
from governance.kernel import current as acting
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.formatting import long_day


@dataclass(frozen=True, slots=True)
class AttachedVersion:
    """An evidence version attached to a request."""

    attachment: RequestAttachment
    version: EvidenceVersion
    evidence: Evidence


def attached(request_ids: Iterable[UUID], *, provided_only: bool = False) -> list[AttachedVersion]:
    """The versions attached to these requests, by evidence ref; auditors see provided ones only."""
    query = (
        select(RequestAttachment, EvidenceVersion, Evidence)
        .join(EvidenceVersion, EvidenceVersion.id == RequestAttachment.version_id)
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .where(RequestAttachment.request_id.in_(list(request_ids)))
    )
    if provided_only or acting.actor().role == "auditor":
        query = query.where(RequestAttachment.provided_at.is_not(None))
    rows = session().execute(query.order_by(Evidence.ref, EvidenceVersion.number))
    return [AttachedVersion(row[0], row[1], row[2]) for row in rows]


def attachment(request_id: UUID, attachment_id: UUID) -> RequestAttachment:
    found = find(RequestAttachment, attachment_id, what="attachment", lock=True)
    if found.request_id != request_id:
        raise NotFound("This attachment doesn't exist, or you don't have access to it.")
    return found


def version(version_id: UUID) -> EvidenceVersion:
    return find(EvidenceVersion, version_id, what="version")


def version_choices(
    engagement: Engagement, q: str = "", *, limit: int = 20
) -> list[tuple[UUID, str]]:
    """(id, "EV-0012 version 3: Penetration test report, to 30 June 2026") of the newest candidates.

    Without a search, the versions in scope that cover the period. With one, all that match, since a
    tenant may provide evidence that no control links to.
    """
    v = EvidenceVersion
    query = _attachable()
    if not q.split():
        query = query.where(
            v.period_from <= engagement.period_to,
            v.period_to >= engagement.period_from,
            *_in_scope(engagement),
        )
    for word in q.split():
        query = query.where(
            Evidence.ref.icontains(word, autoescape=True)
            | Evidence.title.icontains(word, autoescape=True)
        )
    newest = query.order_by(v.uploaded_at.desc(), v.id.desc()).limit(limit)
    rows = session().execute(
        newest.with_only_columns(v.id, v.number, v.period_to, Evidence.ref, Evidence.title)
    )
    return [
        (r.id, f"{r.ref} version {r.number}: {r.title}, to {long_day(r.period_to)}") for r in rows
    ]


def attachable_version(version_id: UUID) -> EvidenceVersion | None:
    """The version if it can be attached; locks its evidence until the transaction ends."""
    query = _attachable().where(EvidenceVersion.id == version_id).with_for_update(of=Evidence)
    return session().scalars(query).one_or_none()


def _attachable() -> Select[Any]:
    """Versions that weren't rejected or withdrawn and whose file isn't deleted or about to be."""
    v = EvidenceVersion
    rejected = select(EvidenceReview.id).where(
        EvidenceReview.version_id == v.id, EvidenceReview.decision == "rejected"
    )
    gone = select(EvidenceDeletion.id).where(
        EvidenceDeletion.version_id == v.id, EvidenceDeletion.state.in_(DECIDED)
    )
    return (
        select(v)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(~rejected.exists(), ~gone.exists(), is_not_withdrawn())
    )


def _in_scope(engagement: Engagement) -> Iterator[ColumnElement[bool]]:
    if engagement.framework_id is not None:
        links = EvidenceLink
        linked = select(links.evidence_id).where(
            links.control_id.in_([i for i, _, _ in scope_queries.controls_in(engagement)]),
            links.removed_at.is_(None),
        )
        yield Evidence.id.in_(linked)
