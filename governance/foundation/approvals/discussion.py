"""The discussion of an approval: everyone who can see it may comment while it is open.

comments(approval)              the newest of them, in the order of time
comment(approval, text)         write one and tell the other participants
delete_comments(approval)       when the approval is redacted
"""

from collections.abc import Iterator, Sequence
from uuid import UUID

from sqlalchemy import Integer, bindparam, delete, func, select

from governance.foundation.approvals import kinds, permissions, queries
from governance.foundation.approvals.models import Approval, ApprovalComment
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.comments import mentions
from governance.foundation.comments.events import CommentWritten
from governance.foundation.people.models import Membership
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.data.selects import Rows, one_of
from governance.kernel.errors import Invalid, Stale
from governance.kernel.work.events import publish

COMMENTED = action(
    "approval.commented",
    "commented on an approval request",
    target="Approval",
    activity="update",
    severity="informational",
    fields="number",
    personal="text",
)
MAX_TEXT_LENGTH = 2000
MAX_COMMENTS = 200  # Per approval.
PAGE_SIZE = 50


COMMENTS = Rows(
    ApprovalComment,
    lambda m: one_of(m.approval_id, "approval_ids"),
    lambda m: (m.created_at.desc(), m.id.desc()),
    limit=bindparam("comments", type_=Integer),
)


def comments(approval: Approval) -> Sequence[ApprovalComment]:
    """Return the newest page of comments, oldest first."""
    return COMMENTS.read(approval_ids=(approval.id,), comments=PAGE_SIZE)[::-1]


def comment(approval: Approval, text: str) -> ApprovalComment:
    """Add a comment; a second click adds none. Raises Stale once the request is closed."""
    session().refresh(approval, with_for_update=True)
    if not queries.is_open(approval):
        raise Stale("This request is closed. You can't comment on it any more.")
    _check(approval, text.strip())
    text, mentioned = mentions.named(text.strip(), _readers(approval))
    last = next(reversed(comments(approval)), None)
    if last is not None and (last.text, last.written_by) == (text, current.person_id()):
        return last
    made = ApprovalComment(
        approval_id=approval.id, text=text, written_by=current.person_id(), created_at=clock.now()
    )
    session().add(made)
    record(COMMENTED, approval, about=kinds.subject_of(approval), number=approval.number, text=text)
    told = mentioned - {made.written_by}
    publish(
        CommentWritten(
            made.id,
            f"{approval.ref}, {kinds.label(approval)}",
            f"approvals/{approval.id}",
            told,
            frozenset(_participants(approval)) - told - {made.written_by},
            is_request=True,
        )
    )
    return made


def delete_comments(approval: Approval) -> None:
    """Delete all comments. The redaction of the approval is what the log records."""
    session().execute(delete(ApprovalComment).where(ApprovalComment.approval_id == approval.id))


def _check(approval: Approval, text: str) -> None:
    if not text:
        raise Invalid("Write a comment.", field="text")
    if len(text) > MAX_TEXT_LENGTH:
        raise Invalid(
            f"Shorten your comment to {MAX_TEXT_LENGTH:,} characters or fewer.", field="text"
        )
    count = (
        session().scalar(select(func.count()).where(ApprovalComment.approval_id == approval.id))
        or 0
    )
    if count >= MAX_COMMENTS:
        raise Invalid(f"This discussion has reached its limit of {MAX_COMMENTS} comments.")


def _readers(approval: Approval) -> frozenset[str]:
    """Return the roles that decide on such an approval."""
    kind = kinds.named(approval.kind)
    return kind.permission.roles if kind else frozenset(approval.roles)


def _participants(approval: Approval) -> Iterator[UUID]:
    """Yield the requesters and earlier writers who may still see it."""
    roles = _readers(approval)
    written = (
        select(ApprovalComment.written_by)
        .where(ApprovalComment.approval_id == approval.id)
        .distinct()
    )
    requesters = {UUID(each) for each in approval.requesters}
    wanted = requesters | set(session().scalars(written))
    m = Membership
    for each in session().scalars(select(m).where(m.person_id.in_(wanted), m.ended_at.is_(None))):
        if each.role in roles or (
            each.person_id in requesters and each.role in permissions.VIEW.roles
        ):
            yield each.person_id
