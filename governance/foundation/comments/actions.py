"""Write, edit and remove comments on objects.

post(subject, row, text)     a second click adds none
edit(row, text)              by its writer, for half an hour; the earlier text is kept
remove(row)                  its place stays, its texts go
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import delete

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.comments import mentions, permissions, queries
from governance.foundation.comments.events import CommentWritten
from governance.foundation.comments.models import ObjectComment, ObjectCommentRevision
from governance.foundation.comments.subjects import CommentSubject
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import Invalid, Stale
from governance.kernel.safety.access import require
from governance.kernel.work.events import publish

POSTED = action(
    "comment.posted",
    "wrote a comment",
    target="ObjectComment",
    activity="create",
    severity="informational",
    fields="kind ref",
    personal="text",
)
EDITED = action(
    "comment.edited",
    "edited a comment",
    target="ObjectComment",
    activity="update",
    severity="informational",
    fields="kind ref",
    personal="text",
)
REMOVED = action(
    "comment.removed",
    "removed a comment",
    target="ObjectComment",
    activity="delete",
    severity="low",
    fields="kind ref",
)
MAX_TEXT_LENGTH = 2000
MAX_COMMENTS = 1000  # Per object.
MAX_EDITS = 20


def post(subject: CommentSubject, row: Any, text: str) -> ObjectComment:
    """Comment on an object that the acting person may view."""
    lock_tenant(f"comments on {row.id}")
    stored, mentioned = _checked(text, subject)
    last = queries.newest(subject.kind, row.id)
    if last is not None and (last.text, last.written_by) == (stored, current.person_id()):
        return last
    if queries.count_comments(subject.kind, row.id) >= MAX_COMMENTS:
        raise Invalid(f"This discussion has reached its limit of {MAX_COMMENTS:,} comments.")
    earlier = queries.writers(subject.kind, row.id)
    made = ObjectComment(
        subject_kind=subject.kind,
        subject_id=row.id,
        text=stored,
        mentions=[str(each) for each in mentioned],
        written_by=current.person_id(),
        created_at=clock.now(),
        edited_at=None,
        removed_at=None,
        removed_by=None,
    )
    session().add(made)
    record(POSTED, made, kind=subject.kind, ref=subject.title(row), text=stored)
    owner = subject.owner(row)
    _tell(subject, row, made, mentioned, followers=earlier | ({owner} if owner else set()))
    return made


def edit(subject: CommentSubject, row: Any, comment: ObjectComment, text: str) -> None:
    """Replace the text of one's own comment. The same text again changes nothing.

    Raises Stale after the window, and Invalid for too many edits.
    """
    require(permissions.EDIT, on=comment)
    if not queries.is_editable(comment):
        raise Stale("You can edit a comment for 30 minutes. Write another one instead.")
    stored, mentioned = _checked(text, subject)
    if stored == comment.text:
        return
    if queries.count_revisions(comment) >= MAX_EDITS:
        raise Invalid(f"A comment can be edited {MAX_EDITS} times. Write another one instead.")
    session().add(
        ObjectCommentRevision(
            comment_id=comment.id,
            text=comment.text,
            mentions=list(comment.mentions),
            created_at=clock.now(),
        )
    )
    added = set(mentioned) - {UUID(each) for each in comment.mentions}
    comment.text, comment.mentions = stored, [str(each) for each in mentioned]
    comment.edited_at = clock.now()
    record(EDITED, comment, kind=subject.kind, ref=subject.title(row), text=stored)
    _tell(subject, row, comment, added)


def remove(subject: CommentSubject, row: Any, comment: ObjectComment) -> None:
    """Remove a comment and its earlier texts. The discussion says who removed it, and when."""
    require(permissions.REMOVE, on=comment)
    r = ObjectCommentRevision
    session().execute(delete(r).where(r.comment_id == comment.id))
    comment.text, comment.mentions = "", []
    comment.removed_at, comment.removed_by = clock.now(), current.person_id()
    record(REMOVED, comment, kind=subject.kind, ref=subject.title(row))


def _checked(text: str, subject: CommentSubject) -> tuple[str, tuple[UUID, ...]]:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise Invalid("Write a comment.", field="text")
    if len(text) > MAX_TEXT_LENGTH:
        raise Invalid(
            f"Shorten your comment to {MAX_TEXT_LENGTH:,} characters or fewer.", field="text"
        )
    return mentions.resolve(text, readers(subject))


def readers(subject: CommentSubject) -> frozenset[str]:
    """Return the roles that read the comments on such an object."""
    return subject.needs.roles & permissions.VIEW.roles


def _tell(
    subject: CommentSubject,
    row: Any,
    comment: ObjectComment,
    mentioned: Collection[UUID],
    *,
    followers: Collection[UUID] = (),
) -> None:
    """Publish the comment to mentioned people and to followers who may still read it."""
    told = frozenset(mentioned) - {current.person_id()}
    able = {each.person_id for each in mentions.people(readers(subject))} if followers else set()
    others = frozenset(followers) & able - told - {current.person_id()}
    if told or others:
        publish(CommentWritten(comment.id, subject.title(row), subject.path(row), told, others))
