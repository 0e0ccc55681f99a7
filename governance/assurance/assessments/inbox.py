"""Inbox items of open assessments.

Conclusions to sign off or revise, and requirements below target.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, String, cast, func, select
from sqlalchemy.orm import aliased

from governance.assurance.assessments import conclusion_actions, permissions
from governance.assurance.assessments.levels_sql import levels
from governance.assurance.assessments.models import Assessment, AssessmentItem, Conclusion, SignOff
from governance.assurance.frameworks.models import Framework, Requirement
from governance.assurance.frameworks.queries import path_of
from governance.foundation.people.own_entries import own_entries
from governance.kernel.work.inbox import (
    ME,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
    shortened,
)


def _of_open_assessments(query: Select[Any]) -> Select[Any]:
    """Limit items to the open assessment that a framework's pages show.

    The joins add the columns that items name.
    """
    a, other = Assessment, aliased(Assessment)
    shown = (
        select(other.id)
        .where(
            other.framework_id == a.framework_id,
            other.scope == "organisation",
            other.closed_at.is_(None),
        )
        .order_by(other.period_to.desc(), other.revision.desc(), other.created_at.desc())
        .limit(1)
        .correlate(a)
        .scalar_subquery()
    )
    return (
        query.join(a, a.id == AssessmentItem.assessment_id)
        .join(Framework, Framework.id == a.framework_id)
        .join(Requirement, Requirement.id == AssessmentItem.requirement_id)
        .where(a.id == shown)
    )


def _conclusions(detail: Any) -> Select[Any]:
    """Select the last revision of each item that nobody has signed off."""
    c, later = Conclusion, aliased(Conclusion)
    newest = (
        select(func.max(later.revision))
        .where(later.item_id == c.item_id)
        .correlate(c)
        .scalar_subquery()
    )
    signed = select(SignOff.id).where(SignOff.conclusion_id == c.id).exists()
    query = item_select(
        c,
        parent=c.item_id,
        about=Requirement.ref,
        place=Framework.key,
        who=c.concluded_by,
        detail=detail,
        since=c.concluded_at,
    )
    return _of_open_assessments(query.join(AssessmentItem, AssessmentItem.id == c.item_id)).where(
        c.revision == newest, ~signed
    )


def _to_sign() -> Select[Any]:
    """Select conclusions written by others, except where something has failed or is overdue."""
    c, level = Conclusion, levels()
    query = _conclusions(Assessment.title).join(
        level, level.c.requirement_id == AssessmentItem.requirement_id
    )
    return query.where(c.return_reason.is_(None), c.concluded_by != ME, ~level.c.is_red)


def _to_revise() -> Select[Any]:
    c = Conclusion
    return _conclusions(c.return_reason).where(c.return_reason.is_not(None), c.concluded_by == ME)


def _gaps() -> Select[Any]:
    i, level = AssessmentItem, levels()
    now = func.coalesce(level.c.level, 0)
    detail = func.concat(
        cast(now, String), " to ", cast(i.target, String), " in ", Assessment.title
    )
    query = item_select(
        i,
        about=Requirement.ref,
        place=Framework.key,
        detail=detail,
        since=i.created_at,
        due=end_of(i.due_on),
    ).outerjoin(level, level.c.requirement_id == i.requirement_id)
    return _of_open_assessments(query).where(i.owner_id == ME, now < i.target)


def _done() -> Select[Any]:
    c, entry = (
        Conclusion,
        own_entries(
            conclusion_actions.CONCLUDED, conclusion_actions.SIGNED, conclusion_actions.RETURNED
        ),
    )
    query = item_select(
        c,
        row_id=entry.c.id,
        place=Framework.key,
        about=Requirement.ref,
        detail=entry.c.says,
        since=entry.c.at,
    ).join(entry, entry.c.target_id == c.id)
    return _of_open_assessments(query.join(AssessmentItem, AssessmentItem.id == c.item_id))


def _levels_of(row: InboxRow) -> str:
    return row.detail.partition(" in ")[0]


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"key": row.place, "ref": path_of(row.about)}


CONCLUSIONS = InboxDone(
    name="conclusion",
    icon="signature",
    select=_done,
    endpoint="assessments.requirement",
    values=_address,
)
SIGN_OFF = InboxSource(
    name="sign-off",
    group="reviews",
    needs=permissions.SIGN,
    select=_to_sign,
    icon="signature",
    verb="Open",
    title=lambda row: f"Sign off {row.about}",
    detail=lambda row: f"Written by {row.who or 'Meridian'}; blocks the {row.detail} report",
    why="you can sign off conclusions, and another person wrote this one",
    endpoint="assessments.requirement",
    values=_address,
    done=(CONCLUSIONS,),
)
REVISE = InboxSource(
    name="conclusion-returned",
    group="reviews",
    needs=permissions.CONCLUDE,
    select=_to_revise,
    icon="arrow-back-up",
    verb="Revise",
    title=lambda row: f"Revise the conclusion on {row.about}",
    detail=lambda row: f"Returned: {shortened(row.detail)}",
    why="you wrote this conclusion, and it was returned to you",
    endpoint="assessments.requirement",
    values=_address,
    done=(CONCLUSIONS,),
)
GAP = InboxSource(
    name="gap",
    group="reviews",
    needs=permissions.COMMENT,
    select=_gaps,
    icon="target",
    verb="Open",
    title=lambda row: f"Raise {row.about} from level {_levels_of(row)}",
    detail=lambda row: f"Below its target in {row.detail.partition(' in ')[2]}",
    why="you own this requirement, and it is below its target",
    endpoint="assessments.requirement",
    values=_address,
)
SOURCES = (SIGN_OFF, REVISE, GAP)
