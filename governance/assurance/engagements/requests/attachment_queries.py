"""Queries for evidence versions that are attached to requests, or can be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, select

from governance.assurance.engagements import scope_queries
from governance.assurance.engagements.models import (
    Engagement,
    RequestAttachment,
)
from governance.assurance.evidence import version_choices as usable
from governance.assurance.evidence.models import Evidence, EvidenceLink, EvidenceVersion
from governance.kernel import current as acting
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class AttachedVersion:
    """An evidence version attached to a request."""

    attachment: RequestAttachment
    version: EvidenceVersion
    evidence: Evidence


def attached(request_ids: Iterable[UUID], *, provided_only: bool = False) -> list[AttachedVersion]:
    """List the versions attached to these requests, by evidence ref.

    Auditors see only provided versions.
    """
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
    """List the newest versions that can be attached, as (id, label).

    A label is "EV-0012 version 3: Penetration test report, to 30 June 2026". Without a search, list
    the versions in scope that overlap the period. With one, list all that match, since a tenant may
    provide evidence that isn't linked to a control.
    """
    v = EvidenceVersion
    query = usable.found_by(usable.usable_versions(), q)
    if not q.split():
        query = query.where(
            v.period_from <= engagement.period_to,
            v.period_to >= engagement.period_from,
            *_in_scope(engagement),
        )
    return usable.offered(query, limit)


def _in_scope(engagement: Engagement) -> Iterator[ColumnElement[bool]]:
    if engagement.framework_id is not None:
        links = EvidenceLink
        linked = select(links.evidence_id).where(
            links.control_id.in_([i for i, _, _ in scope_queries.controls_in(engagement)]),
            links.removed_at.is_(None),
        )
        yield Evidence.id.in_(linked)
