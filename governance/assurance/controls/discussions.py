"""Comments on controls."""

from governance.assurance.controls import permissions, queries
from governance.foundation.comments.subjects import CommentSubject

CONTROL = CommentSubject(
    kind="control",
    noun="control",
    needs=permissions.VIEW,
    find=queries.find_control,
    title=lambda row: f"{row.ref} {row.title}",
    path=lambda row: f"controls/{row.id}",
    owner=lambda row: row.owner_id,
)
