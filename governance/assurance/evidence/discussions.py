"""Comments on evidence items."""

from governance.assurance.evidence import permissions, queries
from governance.foundation.comments.subjects import CommentSubject

EVIDENCE = CommentSubject(
    kind="evidence",
    noun="evidence item",
    needs=permissions.VIEW,
    find=queries.find_evidence,
    title=lambda row: f"{row.ref} {row.title}",
    path=lambda row: f"evidence/{row.id}",
    owner=lambda row: row.owner_id,
)
