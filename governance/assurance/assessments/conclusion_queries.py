"""Queries for conclusions and comments, and for the progress of each assessment."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Select,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from governance.assurance.assessments.assessment_queries import iso, item, judged_items, refs_of
from governance.assurance.assessments.framework_board import AssessedItem
from governance.assurance.assessments.models import (
    AssessmentItem,
    Comment,
    Conclusion,
    SignOff,
)
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import who_did
from governance.foundation.people.queries import names
from governance.kernel.data.db import session
from governance.kernel.data.tenant_cache import BoundedCache
from governance.kernel.safety.visibility_scope import limits

MAX_KEPT_ITEMS = 32  # Items per tenant whose conclusions and comments are cached


class WrittenConclusion(NamedTuple):
    """One revision of a conclusion, as its page shows it."""

    id: UUID
    revision: int
    level: int
    rationale: str
    concluded_by: UUID
    concluded_at: datetime


class Remark(NamedTuple):
    """A comment, as its page shows it."""

    text: str
    created_at: datetime
    written_by: UUID | None


def _records(item_id: UUID) -> Select[Any]:
    """Select conclusions, newest revision first, then comments, oldest first."""
    c, r = Conclusion, Comment
    concluded = select(
        c.id,
        c.revision,
        c.level,
        c.rationale.label("text"),
        c.concluded_by,
        c.concluded_at.label("at"),
    ).where(c.item_id == item_id)
    remarked = select(r.id, literal(0), literal(0), r.text, r.written_by, r.created_at).where(
        r.item_id == item_id
    )
    found = union_all(concluded, remarked).subquery()
    return select(found).order_by(found.c.revision.desc(), found.c.at, found.c.id)


def records(item_id: UUID) -> tuple[Sequence[WrittenConclusion], Sequence[Remark]]:
    """Return an item's conclusions, newest first, and its comments, oldest first.

    Reads them in one statement and caches them for all readers until the next commit.
    """
    kept = recall("records of items", lambda: BoundedCache(MAX_KEPT_ITEMS))
    found: tuple[Sequence[WrittenConclusion], Sequence[Remark]] = kept.get(
        item_id, lambda: _read_records(item_id)
    )
    return found


def _read_records(item_id: UUID) -> tuple[Sequence[WrittenConclusion], Sequence[Remark]]:
    rows = session().execute(_records(item_id)).all()
    return (
        tuple(WrittenConclusion._make(row) for row in rows if row[1]),
        tuple(Remark(row[3], row[5], row[4]) for row in rows if not row[1]),
    )


def judgement_of(item_id: UUID) -> AssessedItem:
    """Return one item with its last conclusion."""
    return judged_items(AssessmentItem.id == item(item_id).id, None)[1][0]


def discussion(assessment_id: UUID) -> list[dict[str, Any]]:
    """Return every comment of an assessment as plain JSON, oldest first."""
    query = (
        select(AssessmentItem.requirement_id, Comment.text, Comment.created_at, Comment.written_by)
        .select_from(Comment)
        .join(AssessmentItem, AssessmentItem.id == Comment.item_id)
        .where(AssessmentItem.assessment_id == assessment_id)
        .order_by(Comment.created_at, Comment.id)
    )
    refs, rows = refs_of(), session().execute(query).all()
    called = names(row[3] for row in rows)
    return [
        {"ref": refs[i], "by": who_did(called, by), "at": iso(at), "text": text}
        for i, text, at, by in rows
    ]


@dataclass(frozen=True, slots=True)
class ConclusionProgress:
    """The number of items of an assessment that are concluded, returned and signed off."""

    items: int
    concluded: int
    returned: int
    signed: int


def conclusion_progress() -> dict[UUID, ConclusionProgress]:
    """Return the progress of each assessment in the acting person's scope, in one statement."""
    last = (
        select(Conclusion)
        .ext(distinct_on(Conclusion.item_id))
        .order_by(Conclusion.item_id, Conclusion.revision.desc())
        .subquery()
    )
    newest = aliased(Conclusion, last)
    query = (
        select(
            AssessmentItem.assessment_id,
            func.count(AssessmentItem.id),
            func.count(newest.id),
            func.count(newest.id).filter(newest.return_reason.isnot(None)),
            func.count(SignOff.id),
        )
        .outerjoin(newest, newest.item_id == AssessmentItem.id)
        .outerjoin(SignOff, SignOff.conclusion_id == newest.id)
        .group_by(AssessmentItem.assessment_id)
    )
    if (auditor_scope := limits()) is not None and auditor_scope.requirements is not None:
        query = query.where(AssessmentItem.requirement_id.in_(auditor_scope.requirements))
    return {row[0]: ConclusionProgress(*row[1:]) for row in session().execute(query)}
