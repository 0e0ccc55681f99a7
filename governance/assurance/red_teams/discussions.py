"""Comments on red-team findings."""

from governance.assurance.red_teams import permissions, queries
from governance.foundation.comments.subjects import CommentSubject

FINDING = CommentSubject(
    kind="red-team-finding",
    noun="finding of a red team",
    needs=permissions.VIEW,
    find=queries.finding,
    title=lambda row: f"{row.ref} {row.title}",
    path=lambda row: f"red-teams/findings/{row.id}",
    owner=lambda row: queries.system_of(row).owner_id or row.reported_by,
)
