"""Queries for requests, their comments and imports, and for requests that await the reader."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Uuid,
    func,
    literal,
    select,
    true,
    tuple_,
)

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.models import (
    AuditRequest,
    Engagement,
    RequestImport,
    RequestRemark,
)
from governance.foundation.audit import queries as audit
from governance.kernel import clock
from governance.kernel import current as acting
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset, sorted_page
from governance.kernel.safety.access import allowed
from governance.kernel.safety.conditions import is_owner


@dataclass(frozen=True, slots=True)
class RequestCounts:
    """The number of requests in each state."""

    by_state: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    def __getitem__(self, state: str) -> int:
        return self.by_state.get(state, 0)


def request_counts(ids: Collection[UUID]) -> dict[UUID, RequestCounts]:
    """Count the requests of each of these engagements by state, in one statement."""
    query = select(AuditRequest.engagement_id, AuditRequest.state, func.count()).where(
        AuditRequest.engagement_id.in_(ids)
    )
    found: dict[UUID, dict[str, int]] = {i: {} for i in ids}
    for of, state, count in session().execute(
        query.group_by(AuditRequest.engagement_id, AuditRequest.state)
    ):
        found[of][state] = count
    return {i: RequestCounts(states) for i, states in found.items()}


REQUEST_SORTS: Mapping[str, tuple[Any, ...]] = {
    "ref": (AuditRequest.ref, AuditRequest.id),
    "state": (AuditRequest.state, AuditRequest.ref, AuditRequest.id),
    "since": (AuditRequest.state_since, AuditRequest.id),
}


def requests(
    engagement_id: UUID,
    *,
    q: str = "",
    state: str = "",
    owner: str = "",
    sort: str = "ref",
    after: str | None = None,
    size: int = 50,
) -> Keyset:
    """Return a page of an engagement's requests. `owner` is "me" or empty."""
    wanted = _requests(engagement_id, q=q, state=state, owner=owner)
    return sorted_page(wanted, REQUEST_SORTS, sort, after=after, size=size)


def every_request(engagement_id: UUID) -> Sequence[AuditRequest]:
    query = select(AuditRequest).where(AuditRequest.engagement_id == engagement_id)
    return session().scalars(query.order_by(AuditRequest.ref, AuditRequest.id)).all()


def first_requests(
    engagement_id: UUID, states: Collection[str], *, limit: int = 8
) -> Sequence[AuditRequest]:
    """Return the first requests, by ref, that are in one of these states."""
    query = select(AuditRequest).where(
        AuditRequest.engagement_id == engagement_id, AuditRequest.state.in_(states)
    )
    return session().scalars(query.order_by(AuditRequest.ref, AuditRequest.id).limit(limit)).all()


def _requests(engagement_id: UUID, *, q: str, state: str, owner: str) -> Select[Any]:
    query = select(AuditRequest).where(
        AuditRequest.engagement_id == engagement_id, *matches_words(q)
    )
    if state:
        query = query.where(AuditRequest.state == state)
    if owner == "me":
        query = query.where(is_owner.sql(acting.actor(), AuditRequest))
    return query


def matches_words(q: str) -> Iterator[ColumnElement[bool]]:
    for word in q.split():
        yield AuditRequest.ref.icontains(word, autoescape=True) | AuditRequest.title.icontains(
            word, autoescape=True
        )


def request(
    engagement_id: UUID, request_id: UUID, *, lock: bool = False
) -> tuple[Engagement, AuditRequest]:
    """Return a request and its engagement. Raises NotFound if it belongs to another one."""
    engagement = queries.engagement(engagement_id)
    found = find(AuditRequest, request_id, what="request", lock=lock)
    if found.engagement_id != engagement.id:
        raise NotFound("This request doesn't exist, or you don't have access to it.")
    return engagement, found


def selected_requests(
    engagement: Engagement, ids: Collection[UUID], *, lock: bool = False
) -> Sequence[AuditRequest]:
    """Return the requests with these ids, by ref. Skip those of other engagements."""
    query = select(AuditRequest).where(
        AuditRequest.engagement_id == engagement.id, AuditRequest.id.in_(ids)
    )
    query = query.order_by(AuditRequest.ref)
    return session().scalars(query.with_for_update() if lock else query).all()


def request_by_id(request_id: UUID) -> tuple[Engagement, AuditRequest]:
    """Lock a request, and return its engagement and the request."""
    found = find(AuditRequest, request_id, what="request", lock=True)
    return queries.engagement(found.engagement_id), found


REQUEST_CHANGES = {
    "engagement.request.assigned": "its owner or due date changed",
    "engagement.request.version.attached": "evidence was attached",
    "engagement.request.version.detached": "evidence was removed",
    "engagement.request.provided": "a response was provided",
    "engagement.request.accepted": "the response was accepted",
    "engagement.request.returned": "the response was returned",
}  # Each of these actions adds 1 to the version of the request.


HIDDEN_FROM_AUDITORS = frozenset(
    {"engagement.request.version.attached", "engagement.request.version.detached"}
)  # Auditors don't see a response before it is provided.


def request_changes_since(request: AuditRequest, seen: int) -> list[str]:
    """Describe the changes to a request after version `seen`, oldest first, from the audit log."""
    hidden = HIDDEN_FROM_AUDITORS if acting.actor().role == "auditor" else frozenset()
    entries = [
        e.action
        for e in audit.entries_about([request.id], limit=200)
        if e.action in REQUEST_CHANGES
    ][: max(request.version - seen, 0)]
    said = [REQUEST_CHANGES[name] for name in reversed(entries) if name not in hidden]
    return [
        words for n, words in enumerate(said) if words not in said[n + 1 : n + 2]
    ]  # Repeats of the same change in a row are shown once.


def row_digests(engagement_id: UUID) -> dict[str, str | None]:
    """Return the digest of each request's imported row by ref. None if it wasn't imported."""
    query = select(AuditRequest.ref, AuditRequest.row).where(
        AuditRequest.engagement_id == engagement_id
    )
    return {row.ref: row.row for row in session().execute(query)}


def thread(request_id: UUID, *, after: str | None = None, size: int = 100) -> Keyset:
    """Return a page of comments, the newest page first. Within a page, the oldest is first."""
    query = select(RequestRemark).where(RequestRemark.request_id == request_id)
    found = keyset(
        query, RequestRemark.written_at, RequestRemark.id, after=after, size=size, descending=True
    )
    return Keyset(found.rows[::-1], found.next, size)


def threads(request_ids: Collection[UUID]) -> Sequence[RequestRemark]:
    """List the comments of several requests, oldest first."""
    query = select(RequestRemark).where(RequestRemark.request_id.in_(request_ids))
    return session().scalars(query.order_by(RequestRemark.written_at, RequestRemark.id)).all()


def request_import(engagement_id: UUID, import_id: UUID, *, lock: bool = False) -> RequestImport:
    found = find(RequestImport, import_id, what="import", lock=lock)
    if found.engagement_id != engagement_id:
        raise NotFound("This import doesn't exist, or you don't have access to it.")
    return found


@dataclass(frozen=True, slots=True)
class PendingRequest:
    """A request that the acting person can move forward."""

    request: AuditRequest
    firm: str


AWAITING_SORTS: Mapping[str, tuple[Any, ...]] = {
    "request": (AuditRequest.title, AuditRequest.id),
    "firm": (Engagement.firm, AuditRequest.ref, AuditRequest.id),
    "due": (
        func.coalesce(AuditRequest.due_on, date.max, type_=Date),
        AuditRequest.ref,
        AuditRequest.id,
    ),
    "since": (AuditRequest.state_since, AuditRequest.id),
}


def awaiting_requests(
    wanted: Mapping[str, str], *, sort: str = "due", after: str | None = None, size: int = 50
) -> Keyset:
    """Return a page of the requests that await the reader.

    Auditors get provided requests. Members get open and returned ones that they own, and unowned
    ones if they manage engagements. `wanted` has the filters: q, state, engagement (its ref).
    """
    query = (
        _awaiting_requests()
        .add_columns(AuditRequest, Engagement.firm)
        .where(*matches_words(wanted.get("q", "")))
    )
    if "state" in wanted:
        query = query.where(AuditRequest.state == wanted["state"])
    if "engagement" in wanted:
        query = query.where(Engagement.ref == wanted["engagement"])
    found = sorted_page(query, AWAITING_SORTS, sort, after=after, size=size)
    return Keyset([PendingRequest(request, firm) for request, firm in found.rows], found.next, size)


def count_awaiting_requests() -> int:
    return session().scalar(_awaiting_requests().add_columns(func.count())) or 0


@dataclass(frozen=True, slots=True)
class RequestNeighbours:
    """The position of a request among those of its engagement, by ref.

    `awaiting` is the next request that awaits the reader, continuing from the start after the last.
    `left` is the number of requests that await the reader.
    """

    number: int
    total: int
    previous: UUID | None
    next: UUID | None
    left: int
    awaiting: UUID | None


def neighbours(request: AuditRequest) -> RequestNeighbours:
    """Return the position and neighbors of a request, in one statement."""
    r, edge = AuditRequest, tuple_(literal(request.ref), literal(request.id, Uuid))
    place, mine = tuple_(r.ref, r.id), r.engagement_id == request.engagement_id
    before, after = select(r.id).where(mine, place < edge), select(r.id).where(mine, place > edge)
    waits = _awaiting_requests().where(mine)
    waits = waits.add_columns(
        r.id, func.count().over().label("left"), (r.id == request.id).label("itself")
    )
    ahead = place <= edge  # Sorts later requests first, then those from the start, itself last.
    first = waits.order_by("itself", ahead, r.ref, r.id).limit(1).subquery()
    row = (
        session()
        .execute(
            select(
                before.with_only_columns(func.count()).scalar_subquery(),
                select(func.count()).select_from(r).where(mine).scalar_subquery(),
                before.order_by(r.ref.desc(), r.id.desc()).limit(1).scalar_subquery(),
                after.order_by(r.ref, r.id).limit(1).scalar_subquery(),
                first.c.id,
                first.c.left,
            ).select_from(select(literal(1)).subquery().outerjoin(first, true()))
        )
        .one()
    )
    waiting, left = row[4], row[5] or 0
    return RequestNeighbours(
        row[0] + 1, row[1], row[2], row[3], left, None if waiting == request.id else waiting
    )


def _awaiting_requests() -> Select[Any]:
    who, now = acting.actor(), clock.now()
    query = (
        select()
        .select_from(AuditRequest)
        .join(Engagement, Engagement.id == AuditRequest.engagement_id)
        .where(queries.is_open_sql(now))
    )
    if who.role == "auditor":
        mine = [each.id for each in queries.open_engagements_of(who.person_id or UUID(int=0))]
        query = query.where(AuditRequest.engagement_id.in_(mine), AuditRequest.state == "provided")
    else:
        owned = is_owner.sql(who, AuditRequest)
        if allowed(permissions.MANAGE):
            owned |= AuditRequest.owner_id.is_(None)
        query = query.where(AuditRequest.state.in_(("open", "returned")), owned)
    return query
