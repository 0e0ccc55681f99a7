"""Conclusions, comments, and how many conclusions of each assessment are written and signed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select
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
from governance.assurance.evidence.shown_names import FORMER_MEMBER
from governance.foundation.people.models import Person
from governance.kernel import clock
from governance.kernel.compiled_select import CompiledSelect
from governance.kernel.db import session
from governance.kernel.visibility_scope import limits

_CONCLUSIONS = (
    select(Conclusion)
    .where(Conclusion.item_id == bindparam("item_id"))
    .order_by(Conclusion.revision.desc())
)


def conclusions(item_id: UUID) -> Sequence[Conclusion]:
    """Return every revision of an item's conclusion, the newest first."""
    return session().scalars(_CONCLUSIONS, {"item_id": item_id}).all()


def judgement_of(item_id: UUID) -> AssessedItem:
    """Return one item with its last conclusion."""
    return judged_items(AssessmentItem.id == item(item_id).id, None)[1][0]


class Remark(NamedTuple):
    """A comment, as its page shows it."""

    text: str
    created_at: datetime
    name: str | None


_REMARKS = CompiledSelect(
    lambda: (
        select(Comment.text, Comment.created_at, Person.name)
        .outerjoin(Person, Person.id == Comment.written_by)
        .where(Comment.item_id == bindparam("item_id"), Comment.created_at <= bindparam("as_of"))
        .order_by(Comment.created_at, Comment.id)
    ),
    Remark._make,
)


def comments(item_id: UUID, as_of: datetime | None = None) -> list[tuple[Remark, str]]:
    """Return the comments on an item with their authors' names, oldest first."""
    found = _REMARKS.rows(item_id=item_id, as_of=as_of or clock.now())
    return [(remark, remark.name or FORMER_MEMBER) for remark in found]


def discussion(assessment_id: UUID) -> list[dict[str, Any]]:
    """Return every comment of an assessment as plain JSON, oldest first."""
    query = (
        select(AssessmentItem.requirement_id, Comment.text, Comment.created_at, Person.name)
        .select_from(Comment)
        .join(AssessmentItem, AssessmentItem.id == Comment.item_id)
        .outerjoin(Person, Person.id == Comment.written_by)
        .where(AssessmentItem.assessment_id == assessment_id)
        .order_by(Comment.created_at, Comment.id)
    )
    refs = refs_of()
    return [
        {"ref": refs[i], "by": name or FORMER_MEMBER, "at": iso(at), "text": text}
        for i, text, at, name in session().execute(query)
    ]


@dataclass(frozen=True, slots=True)
class ConclusionProgress:
    """How many items of an assessment are concluded, returned and signed off."""

    items: int
    concluded: int
    returned: int
    signed: int


def conclusion_progress() -> dict[UUID, ConclusionProgress]:
    """Return the progress of every assessment, within the acting person's scope; one statement."""
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
