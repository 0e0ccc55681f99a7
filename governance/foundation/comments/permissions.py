"""Permissions to read and write comments.

Auditors do neither: what a tenant discusses among itself reaches them only as an answer to one of
their requests.
"""

from typing import Any

from governance.kernel.current import Actor
from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import condition


@condition("they wrote it", "Only its writer can change this comment.")
def is_writer(who: Actor, comment: Any) -> Any:
    return who.person_id is not None and comment.written_by == who.person_id


VIEW = permission(
    "comments.view", "read comments", roles="admin compliance_officer contributor viewer"
)
WRITE = permission("comments.write", "write comments", roles="admin compliance_officer contributor")
EDIT = permission(
    "comments.edit",
    "edit a comment",
    roles="admin compliance_officer contributor",
    only={"admin compliance_officer contributor": [is_writer]},
)
REMOVE = permission(
    "comments.remove",
    "remove a comment",
    roles="admin compliance_officer contributor",
    only={"compliance_officer contributor": [is_writer]},
)
