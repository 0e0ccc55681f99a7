"""Inbox items of an open access review, for everyone who has items left to decide."""

from typing import Any

from sqlalchemy import Select, case, func, or_, select

from governance.assurance.access_reviews import permissions
from governance.assurance.access_reviews.models import AccessReview, AccessReviewItem
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.people.models import Membership
from governance.kernel.safety.access import not_excluded
from governance.kernel.work.inbox import (
    DONE_SINCE,
    ME,
    NOW,
    InboxDone,
    InboxSource,
    end_of,
    item_select,
)


def _open_reviews() -> Select[Any]:
    """Select open reviews with the number of items the reader can still decide.

    The reader's own access and ended access don't count.
    """
    a, i, m, k = AccessReview, AccessReviewItem, Membership, ApiKey
    membership = i.membership_id.is_not(None) & m.ended_at.is_(None)
    live_key = k.revoked_at.is_(None) & or_(k.expires_at.is_(None), k.expires_at > NOW)
    key = i.key_id.is_not(None) & live_key
    left = (
        select(func.count())
        .select_from(i)
        .outerjoin(m, m.id == i.membership_id)
        .outerjoin(k, k.id == i.key_id)
    )
    left = left.where(
        i.access_review_id == a.id,
        i.decision.is_(None),
        membership | key,
        not_excluded(permissions.DECIDE, i, ME),
    )
    count = left.correlate(a).scalar_subquery()
    query = item_select(
        a,
        about=a.title,
        who=a.started_by,
        detail=count,
        since=a.created_at,
        due=end_of(a.due_on),
    )
    return query.where(a.closed_at.is_(None), count > 0)


def _decided() -> Select[Any]:
    """Select one row per review, regardless of how many items the reader decided."""
    a, i = AccessReview, AccessReviewItem
    mine = (
        select(i.access_review_id, func.count().label("count"), func.max(i.decided_at).label("at"))
        .where(i.decided_by == ME, i.decided_at > DONE_SINCE)
        .group_by(i.access_review_id)
        .subquery()
    )
    detail = func.concat(
        "You made ", mine.c.count, case((mine.c.count == 1, " decision"), else_=" decisions")
    )
    return item_select(a, about=a.title, detail=detail, since=mine.c.at).join(
        mine, mine.c.access_review_id == a.id
    )


DECIDED = InboxDone(
    name="access-review",
    icon="users",
    select=_decided,
    endpoint="access_reviews.review",
    values=lambda row: {"access_review_id": row.id},
)
OPEN_REVIEW = InboxSource(
    name="access-review",
    group="reviews",
    needs=permissions.DECIDE,
    select=_open_reviews,
    icon="users",
    verb="Open",
    title=lambda row: f"Review access: {row.about}",
    detail=lambda row: f"{row.detail} left to decide, started by {row.who or 'Meridian'}",
    why="you review access, and some items in this review still need a decision",
    endpoint="access_reviews.review",
    values=lambda row: {"access_review_id": row.id},
    done=(DECIDED,),
)
SOURCES = (OPEN_REVIEW,)
