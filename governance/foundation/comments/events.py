"""Events of comments, to which features that notify people subscribe."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class CommentWritten(Event):
    """Somebody commented on an object, or mentioned more people in an edit.

    `title` is what people call the object, `path` its page below the tenant's address. `mentioned`
    and `followers` (its owner and those who commented before) may read it; nobody is in both, and
    the writer is in neither. `is_request`: the object waits for a decision.
    """

    comment_id: UUID
    title: str
    path: str
    mentioned: frozenset[UUID]
    followers: frozenset[UUID]
    is_request: bool = False
