"""Inbox sources of engagements: requests to answer or assign, and responses for auditors to review."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.models import AuditRequest, Engagement
from governance.assurance.engagements.requests import actions as requests
from governance.assurance.engagements.requests import responses
from governance.foundation.audit.registry import Action
from governance.foundation.people.own_entries import own_items
from governance.kernel.data.db import session
from governance.kernel.work.bulk import BulkItem
from governance.kernel.work.inbox import (
    ME,
    NOW,
    TODAY,
    InboxAssignment,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
)

UNANSWERED = ("open", "returned")


def _requests(*states: str, who: Any) -> Select[Any]:
    """Select requests in these states whose engagement is planned or open."""
    r = AuditRequest
    query = item_select(
        r,
        about=r.title,
        parent=r.engagement_id,
        who=who,
        detail=r.ref,
        since=r.state_since,
        due=end_of(r.due_on),
    )
    query = query.join(Engagement, Engagement.id == r.engagement_id)
    return query.where(r.state.in_(states), queries.has_not_ended(NOW))


def _to_answer() -> Select[Any]:
    return _requests("open", who=Engagement.firm).where(AuditRequest.owner_id == ME)


def _returned() -> Select[Any]:
    return _requests("returned", who=Engagement.firm).where(AuditRequest.owner_id == ME)


def _unassigned() -> Select[Any]:
    return _requests(*UNANSWERED, who=Engagement.firm).where(AuditRequest.owner_id.is_(None))


def _late_of_others() -> Select[Any]:
    r = AuditRequest
    return _requests(*UNANSWERED, who=r.owner_id).where(r.owner_id != ME, r.due_on < TODAY)


def _answers() -> Select[Any]:
    """Select responses to review in the auditor's open engagements."""
    r = AuditRequest
    query = item_select(r, about=r.title, parent=r.engagement_id, detail=r.ref, since=r.state_since)
    return query.where(
        r.state == "provided", r.engagement_id.in_(queries.open_engagement_ids_of(ME, NOW))
    )


def _answered() -> Select[Any]:
    return _done(responses.RESPONSE_PROVIDED, requests.REQUEST_ASSIGNED)


def _judged() -> Select[Any]:
    return _done(responses.RESPONSE_ACCEPTED, responses.RESPONSE_RETURNED).where(
        AuditRequest.engagement_id.in_(queries.open_engagement_ids_of(ME, NOW))
    )


def _done(*events: Action) -> Select[Any]:
    """Select finished items. `place` is the request, since its URL needs the engagement too."""
    r = AuditRequest
    about = r.ref + " " + r.title
    return own_items(r, *events, parent=r.engagement_id, place=r.id, about=about)


# InboxAssignment defines this signature.
def _to_assign(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    r = AuditRequest
    query = select(r).where(r.id.in_(ids)).order_by(r.ref)
    found = session().scalars(
        query.with_for_update(key_share=True).execution_options(populate_existing=True)
        if lock
        else query
    )
    return [
        BulkItem(each.id, each.ref, each.title, "", {"owner_id": each.owner_id}) for each in found
    ]


def _assign(ids: Collection[UUID], owner_id: UUID | None) -> None:
    r = AuditRequest
    rows = session().execute(
        select(Engagement, r)
        .join(r, r.engagement_id == Engagement.id)
        .where(r.id.in_(ids))
        .order_by(r.id)
        .with_for_update(of=r)
    )
    for engagement, request in rows.all():
        requests.assign_request(engagement, request, owner_id=owner_id, due_on=request.due_on)


ASSIGNMENT = InboxAssignment(permissions.MANAGE, _to_assign, _assign, frozenset(requests.UNDOABLE))


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"request_id": row.id, "engagement_id": row.parent}


def _address_when_done(row: InboxRow) -> Mapping[str, Any]:
    return {"request_id": row.place, "engagement_id": row.parent}


ANSWERED = InboxDone(
    name="audit-request",
    icon="message-reply",
    select=_answered,
    endpoint="engagements.one_request",
    values=_address_when_done,
)
JUDGED = InboxDone(
    name="audit-answer",
    icon="inbox",
    select=_judged,
    endpoint="engagements.one_request",
    values=_address_when_done,
)
ANSWER = InboxSource(
    name="audit-request",
    group="evidence",
    needs=permissions.PROVIDE,
    select=_to_answer,
    icon="message-reply",
    verb="Respond",
    title=lambda row: f"Respond to auditor request: {row.about}",
    detail=lambda row: f"{row.detail}, {row.who}",
    why="you own this request",
    endpoint="engagements.one_request",
    values=_address,
    done=(ANSWERED,),
)
ANSWER_AGAIN = InboxSource(
    name="audit-request-returned",
    group="evidence",
    needs=permissions.PROVIDE,
    select=_returned,
    icon="arrow-back-up",
    verb="Respond",
    title=lambda row: f"Revise response to auditor request: {row.about}",
    detail=lambda row: f"{row.detail}, returned by {row.who}",
    why="you own this request, and the auditors returned your response",
    endpoint="engagements.one_request",
    values=_address,
    done=(ANSWERED,),
)
UNASSIGNED = InboxSource(
    name="audit-request-owner",
    group="evidence",
    needs=permissions.MANAGE,
    select=_unassigned,
    icon="user-plus",
    verb="Assign",
    title=lambda row: f"Assign auditor request: {row.about}",
    detail=lambda row: f"{row.detail}, {row.who}",
    why="you manage audit engagements, and this request has no owner",
    endpoint="engagements.one_request",
    values=_address,
    assign=ASSIGNMENT,
    done=(ANSWERED,),
)
FOLLOW_UP = InboxSource(
    name="audit-request-late",
    group="evidence",
    needs=permissions.MANAGE,
    select=_late_of_others,
    icon="bell",
    verb="Open",
    title=lambda row: f"Follow up with {row.who} on auditor request: {row.about}",
    detail=lambda row: row.detail,
    why="you manage audit engagements, and this request is overdue",
    endpoint="engagements.one_request",
    values=_address,
    assign=ASSIGNMENT,
)
JUDGE = InboxSource(
    name="audit-answer",
    group="reviews",
    needs=permissions.JUDGE,
    select=_answers,
    icon="inbox",
    verb="Review",
    title=lambda row: f"Review response: {row.about}",
    detail=lambda row: row.detail,
    why="you audit this engagement",
    endpoint="engagements.one_request",
    values=_address,
    done=(JUDGED,),
)
SOURCES = (ANSWER, ANSWER_AGAIN, UNASSIGNED, FOLLOW_UP, JUDGE)
