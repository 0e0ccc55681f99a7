"""Inbox sources of reviews: stopped closes, months with changed inputs, and planned actions."""

from typing import Any

from sqlalchemy import Select, String, cast

from governance.economics.reviews import actions, permissions
from governance.economics.reviews.models import Review, ReviewAction
from governance.foundation.people.own_entries import own_items
from governance.kernel.months import Month
from governance.kernel.work.inbox import ME, InboxDone, InboxRow, InboxSource, end_of, item_select


def _stopped() -> Select[Any]:
    r = Review
    query = item_select(r, about=r.month, detail=r.problem, since=r.created_at)
    return query.where(r.problem.is_not(None))


def _late() -> Select[Any]:
    r = Review
    query = item_select(r, about=r.month, detail=cast(r.late, String), since=r.created_at)
    return query.where(r.late.is_not(None), r.problem.is_(None), r.reopened.is_(None))


def _planned() -> Select[Any]:
    a, r = ReviewAction, Review
    query = item_select(
        a,
        parent=r.id,
        about=a.title,
        place=r.month,
        since=a.created_at,
        due=end_of(a.due_on),
    ).join(r, (r.id == a.review_id) & (r.tenant_id == a.tenant_id))
    return query.where(a.done_at.is_(None), a.owner_id == ME)


def _done() -> Select[Any]:
    a, r = ReviewAction, Review
    query = own_items(a, actions.DONE, about=a.title, parent=a.id, place=r.month)
    return query.join(r, (r.id == a.review_id) & (r.tenant_id == a.tenant_id))


def _name(month: str) -> str:
    return Month.parse(month).long_name


def _month(row: InboxRow) -> dict[str, Any]:
    return {"month": row.about}


SOURCES = (
    InboxSource(
        name="stopped-month-closes",
        group="reviews",
        needs=permissions.CLOSE,
        select=_stopped,
        icon="coins",
        verb="Open",
        title=lambda row: f"{_name(row.about)} can't close yet",
        detail=lambda row: row.detail,
        why="you close months",
        endpoint="reviews.month",
        values=_month,
    ),
    InboxSource(
        name="changed-months",
        group="reviews",
        needs=permissions.CLOSE,
        select=_late,
        icon="coins",
        verb="Open",
        title=lambda row: f"Inputs of {_name(row.about)} changed after its close",
        detail=lambda _row: "Reopen the month to restate it, or leave its figures as they are.",
        why="you close months",
        endpoint="reviews.month",
        values=_month,
    ),
    InboxSource(
        name="review-actions",
        group="reviews",
        needs=permissions.DISCUSS,
        select=_planned,
        icon="checklist",
        verb="Open",
        title=lambda row: row.about,
        detail=lambda row: f"Planned in the review of {_name(row.place)}",
        why="you own this action",
        endpoint="reviews.month",
        values=lambda row: {"month": row.place},
        done=(
            InboxDone(
                name="review-actions-done",
                icon="checklist",
                select=_done,
                endpoint="reviews.month",
                values=lambda row: {"month": row.place},
            ),
        ),
    ),
)
