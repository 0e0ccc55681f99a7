"""Reads of comments: a page of a discussion, one comment, its earlier texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import Select, bindparam, func, select

from governance.foundation.comments import mentions, permissions
from governance.foundation.comments.models import ObjectComment, ObjectCommentRevision
from governance.foundation.people.queries import names
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Selected
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import first_page, keyset
from governance.kernel.safety.access import allowed

EDIT_WINDOW = timedelta(minutes=30)
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class ShownComment:
    """A comment as its reader sees it."""

    id: UUID
    writer: str
    text: Markup
    at: datetime
    edited_at: datetime | None
    removed_at: datetime | None
    remover: str
    is_editable: bool
    is_removable: bool


@dataclass(frozen=True, slots=True)
class Discussion:
    """The newest comments, oldest first; `earlier` continues with those before them."""

    comments: Sequence[ShownComment]
    earlier: str | None


def _comments(kind: Any, subject_id: Any) -> Select[ObjectComment]:
    c = ObjectComment
    return select(c).where(c.subject_kind == kind, c.subject_id == subject_id)


# The newest comments of an object, and one more.
NEWEST = Selected[ObjectComment](
    lambda: (
        _comments(bindparam("commented_kind"), bindparam("commented_id"))
        .order_by(ObjectComment.created_at.desc(), ObjectComment.id.desc())
        .limit(PAGE_SIZE + 1)
    )
)


def discussion(kind: str, subject_id: UUID, *, before: str | None = None) -> Discussion:
    """Return a page of the comments on an object; one statement, and one for the names."""
    c = ObjectComment
    if before:
        query = _comments(kind, subject_id)
        found = keyset(query, c.created_at, c.id, after=before, size=PAGE_SIZE, descending=True)
    else:
        rows = NEWEST.read(commented_kind=kind, commented_id=subject_id)
        found = first_page(rows, "created_at", "id", size=PAGE_SIZE)
    return Discussion(as_shown(found.rows[::-1]), found.next)


def as_shown(rows: Sequence[ObjectComment]) -> list[ShownComment]:
    known = names(
        person
        for row in rows
        for person in (row.written_by, row.removed_by, *map(UUID, row.mentions))
    )
    return [
        ShownComment(
            row.id,
            known.get(row.written_by, mentions.FORMER),
            mentions.shown(row.text, row.mentions, known),
            row.created_at,
            row.edited_at,
            row.removed_at,
            known.get(row.removed_by, mentions.FORMER) if row.removed_by else "",
            is_editable(row) and allowed(permissions.EDIT, on=row),
            row.removed_at is None and allowed(permissions.REMOVE, on=row),
        )
        for row in rows
    ]


def is_editable(row: ObjectComment) -> bool:
    return row.removed_at is None and clock.now() - row.created_at < EDIT_WINDOW


def comment(comment_id: UUID, *, lock: bool = False) -> ObjectComment:
    found = find(ObjectComment, comment_id, what="comment", lock=lock)
    if found.removed_at is not None:
        raise NotFound("This comment was removed.")
    return found


def revisions(row: ObjectComment) -> list[tuple[datetime, Markup]]:
    """Return the earlier texts of a comment with the times when they were replaced, newest first."""
    r = ObjectCommentRevision
    query = select(r).where(r.comment_id == row.id).order_by(r.created_at.desc())
    found = session().scalars(query).all()
    known = names(UUID(person) for each in found for person in each.mentions)
    return [(each.created_at, mentions.shown(each.text, each.mentions, known)) for each in found]


def count_revisions(row: ObjectComment) -> int:
    r = ObjectCommentRevision
    query = select(func.count()).select_from(r).where(r.comment_id == row.id)
    return session().scalar(query) or 0


def count_comments(kind: str, subject_id: UUID) -> int:
    c = ObjectComment
    query = (
        select(func.count())
        .select_from(c)
        .where(c.subject_kind == kind, c.subject_id == subject_id)
    )
    return session().scalar(query) or 0


def newest(kind: str, subject_id: UUID) -> ObjectComment | None:
    c = ObjectComment
    query = select(c).where(c.subject_kind == kind, c.subject_id == subject_id)
    newest_first = query.order_by(c.created_at.desc(), c.id.desc())
    return session().scalars(newest_first.limit(1)).one_or_none()


def writers(kind: str, subject_id: UUID) -> set[UUID]:
    """Return everybody who has a comment here that was not removed."""
    c = ObjectComment
    query = select(c.written_by).where(
        c.subject_kind == kind, c.subject_id == subject_id, c.removed_at.is_(None)
    )
    return set(session().scalars(query.distinct()))
