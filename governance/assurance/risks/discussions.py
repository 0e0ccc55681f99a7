"""Comments on risks."""

from governance.assurance.risks import permissions, queries
from governance.foundation.comments.subjects import CommentSubject

RISK = CommentSubject(
    kind="risk",
    noun="risk",
    needs=permissions.VIEW,
    find=queries.find_risk,
    title=lambda row: f"{row.ref} {row.title}",
    path=lambda row: f"risks/{row.id}",
    owner=lambda row: row.owner_id,
)
