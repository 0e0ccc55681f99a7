"""Comments on exceptions and their findings, which share a page."""

from uuid import UUID

from governance.assurance.testing import exception_queries, permissions
from governance.assurance.testing.models import TestException
from governance.foundation.comments.subjects import CommentSubject


def _owner(exception: TestException) -> UUID | None:
    """Return the owner of the finding, or the person who responded if there is no finding."""
    finding = exception_queries.finding_of(exception.id)
    return (finding.owner_id if finding else None) or exception.responded_by


EXCEPTION = CommentSubject(
    kind="exception",
    noun="exception",
    needs=permissions.VIEW,
    find=exception_queries.exception,
    title=lambda row: f"Exception {row.ref}",
    path=lambda row: f"evidence/type-ii/exceptions/{row.id}",
    owner=_owner,
)
