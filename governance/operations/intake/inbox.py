"""What intake puts into inboxes: questions that a proposer has to answer."""

from typing import Any

from sqlalchemy import Select, String, cast, func

from governance.kernel.inbox import ME, InboxSource, item_select
from governance.operations.intake import permissions
from governance.operations.intake.models import SystemProposal


def _unanswered() -> Select[Any]:
    p = SystemProposal
    query = item_select(
        p,
        about=func.concat("PRO-", cast(p.number, String), " ", p.name),
        detail=cast(p.open_questions, String),
        since=p.changed_at,
    )
    return query.where(p.state == "in_review", p.open_questions > 0, p.proposed_by == ME)


UNANSWERED = InboxSource(
    name="proposal-questions",
    group="reviews",
    needs=permissions.PROPOSE,
    select=_unanswered,
    icon="edit",
    verb="Answer",
    title=lambda row: f"Complete {row.about}",
    detail=lambda row: f"Open points: {row.detail}. A reviewer can't approve it before.",
    why="you proposed this AI system",
    endpoint="intake.edit",
    values=lambda row: {"proposal_id": row.id},
)
