"""Search for engagements and requests. Auditors find only those of their open engagements."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.engagements.models import AuditRequest, Engagement
from governance.assurance.engagements.queries import open_engagement_ids_of
from governance.kernel import clock, current
from governance.kernel.manifest import IndexedSearch, SearchText


def _text(row: Any) -> SearchText:
    return SearchText(row.ref, row.firm)


def _text_of_request(row: Any) -> SearchText:
    return SearchText(row.ref, row.title, parent=row.engagement_id)


def _seen() -> Select[UUID] | None:
    who = current.actor()
    if who.role != "auditor":
        return None
    found: Select[UUID] = open_engagement_ids_of(who.person_id, clock.now())
    return found


def _requests_seen() -> Select[UUID] | None:
    seen = _seen()
    return (
        None
        if seen is None
        else select(AuditRequest.id).where(AuditRequest.engagement_id.in_(seen))
    )


engagements = IndexedSearch(
    kind="engagement",
    model=Engagement,
    reads=("ref", "firm"),
    text=_text,
    seen=_seen,
    endpoint="engagements.engagement",
    address=lambda row_id, _ref, _parent: {"engagement_id": row_id},
)
requests = IndexedSearch(
    kind="request",
    model=AuditRequest,
    reads=("ref", "title", "engagement_id"),
    text=_text_of_request,
    seen=_requests_seen,
    endpoint="engagements.one_request",
    address=lambda row_id, _ref, parent: {"engagement_id": parent, "request_id": row_id},
)
