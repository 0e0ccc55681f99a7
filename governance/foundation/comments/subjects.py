"""Objects that people can comment on: features add theirs by their manifests."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from governance.kernel.errors import NotFound
from governance.kernel.extension_points import ExtensionPoint
from governance.kernel.safety import access
from governance.kernel.safety.access import Permission


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentSubject:
    """A kind of object that people can comment on.

    `needs` is the permission to view it, `find` returns it or raises NotFound for the acting
    person. `title` is what people call it, `path` its page below the tenant's address, `owner` the
    person who is notified of each comment.
    """

    kind: str
    noun: str
    needs: Permission
    find: Callable[[UUID], Any]
    title: Callable[[Any], str]
    path: Callable[[Any], str]
    owner: Callable[[Any], UUID | None] = lambda _row: None


COMMENT_SUBJECTS: ExtensionPoint[CommentSubject] = ExtensionPoint(
    "comment subject", key=lambda subject: subject.kind
)


def subject_of(kind: str) -> CommentSubject:
    for subject in COMMENT_SUBJECTS.parts():
        if subject.kind == kind:
            return subject
    raise NotFound("This page doesn't exist.")


def commented(kind: str, subject_id: UUID) -> tuple[CommentSubject, Any]:
    """Return an object that the acting person may view. Raises NotFound or Forbidden."""
    subject = subject_of(kind)
    access.require(subject.needs)
    return subject, subject.find(subject_id)
