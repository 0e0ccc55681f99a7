"""Inbox items of risks: acceptances to renew, risks to score again, owners to assign."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Interval, Select, case, func, literal, null, or_, select
from sqlalchemy.orm import aliased

from governance.assurance.risks import actions, permissions, queries
from governance.assurance.risks.acceptance_state import SOON_DAYS
from governance.assurance.risks.models import Risk, RiskAcceptance
from governance.kernel.work.bulk import BulkItem
from governance.kernel.work.inbox import (
    ME,
    TODAY,
    InboxAssignment,
    InboxSource,
    end_of,
    item_select,
    lower_first,
)

SOON = literal(timedelta(days=SOON_DAYS), Interval())
REF = func.concat("RSK-", Risk.number)


def _to_renew() -> Select[Any]:
    """Select acceptances of the person's own risks that are stale, expired or expire soon."""
    a, r = RiskAcceptance, Risk
    stale = a.stale_at.is_not(None)
    query = item_select(
        a,
        about=r.title,
        parent=r.id,
        place=case((stale, "stale"), (a.expires_on < TODAY, "expired"), else_="expiring"),
        detail=func.concat_ws(", ", REF, func.nullif(a.stale_reason, "")),
        since=func.coalesce(a.stale_at, a.accepted_at),
        due=case((stale, null()), else_=end_of(a.expires_on)),
    ).join(r, r.id == a.risk_id)
    asked = aliased(RiskAcceptance)
    is_asked = select(asked.id).where(asked.risk_id == r.id, asked.state == "requested").exists()
    return query.where(
        r.closed_at.is_(None),
        r.owner_id == ME,
        a.state == "accepted",
        or_(stale, a.expires_on <= TODAY + SOON),
        ~is_asked,
    )


def _to_score() -> Select[Any]:
    """Select the person's own risks that are scored on a scale with other steps."""
    query = item_select(Risk, about=Risk.title, detail=REF, since=Risk.rescore_since)
    return query.where(
        Risk.closed_at.is_(None), Risk.owner_id == ME, Risk.rescore_since.is_not(None)
    )


def _unassigned() -> Select[Any]:
    query = item_select(Risk, about=Risk.title, detail=REF, since=Risk.created_at)
    return query.where(Risk.closed_at.is_(None), Risk.owner_id.is_(None))


# The signature that InboxAssignment expects.
def _to_assign(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001
    return [
        BulkItem(
            each.id, each.ref, each.title, "", {"owner_id": each.owner_id}, actions.why_not(each)
        )
        for each in queries.find_risks(ids, lock=lock)
    ]


ASSIGNMENT = InboxAssignment(
    permissions.MANAGE, _to_assign, actions.assign_all, frozenset(actions.UNDOABLE)
)
WORDS = {
    "stale": "is stale",
    "expired": "has expired",
    "expiring": "expires soon",
}
RENEW = InboxSource(
    name="risk-acceptance",
    group="reviews",
    needs=permissions.WORK,
    select=_to_renew,
    icon="alert-triangle",
    verb="Review",
    title=lambda row: f"Acceptance {WORDS[row.place]}: {lower_first(row.about)}",
    detail=lambda row: row.detail,
    why="you own this risk",
    endpoint="risks.risk",
    values=lambda row: {"risk_id": row.parent},
)
SCORE = InboxSource(
    name="risk-score",
    group="reviews",
    needs=permissions.WORK,
    select=_to_score,
    icon="alert-triangle",
    verb="Score",
    title=lambda row: f"Score again: {lower_first(row.about)}",
    detail=lambda row: f"{row.detail}, the scale has other steps now",
    why="you own this risk",
    endpoint="risks.edit",
    values=lambda row: {"risk_id": row.id},
    assign=ASSIGNMENT,
)
UNASSIGNED = InboxSource(
    name="risk-owner",
    group="reviews",
    needs=permissions.MANAGE,
    select=_unassigned,
    icon="user-plus",
    verb="Assign",
    title=lambda row: f"Assign an owner to the risk: {lower_first(row.about)}",
    detail=lambda row: row.detail,
    why="you manage risks, and this one has no owner",
    endpoint="risks.risk",
    values=lambda row: {"risk_id": row.id},
    assign=ASSIGNMENT,
)
SOURCES = (RENEW, SCORE, UNASSIGNED)
