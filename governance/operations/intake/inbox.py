"""Inbox items of intake: unanswered questions, and classes to confirm under a new law version."""

from typing import Any

from sqlalchemy import DateTime, Select, String, cast, func

from governance.kernel.formatting import plural
from governance.kernel.work.inbox import ME, TENANT, TODAY, InboxSource, item_select
from governance.operations.intake import law_queries, permissions
from governance.operations.intake.models import SystemProposal
from governance.operations.systems.models import AISystem


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


def _to_confirm() -> Select[Any]:
    """Select one row for all systems, whose id is the tenant's."""
    query = item_select(
        AISystem,
        row_id=TENANT,
        about=cast(func.count(), String),
        since=cast(law_queries.version_on(TODAY), DateTime(timezone=True)),
    )
    return query.where(law_queries.is_to_confirm(TODAY)).having(func.count() > 0)


TO_CONFIRM = InboxSource(
    name="law-to-confirm",
    group="reviews",
    needs=permissions.REVIEW,
    select=_to_confirm,
    icon="scale",
    verb="Review",
    title=lambda row: f"The law changed: {plural(int(row.about), 'system')} to confirm",
    detail=lambda _row: "Their classes were given under the law before its amendment.",
    why="you review the classes of AI systems",
    endpoint="intake.law_changes",
    values=lambda _row: {},
)
