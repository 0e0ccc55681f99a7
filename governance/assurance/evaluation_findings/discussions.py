"""Comments on evaluation findings."""

from governance.assurance.evaluation_findings import permissions, queries
from governance.foundation.comments.subjects import CommentSubject

FINDING = CommentSubject(
    kind="evaluation-finding",
    noun="finding of an evaluation",
    needs=permissions.VIEW,
    find=queries.finding,
    title=lambda row: f"{row.ref} {row.name}",
    path=lambda row: f"evaluations/findings/{row.id}",
    owner=lambda row: queries.about(row)[0].owner_id,
)
