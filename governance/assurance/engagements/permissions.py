"""Permissions in audit engagements. auditors/scope.py limits what auditors see."""

from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import is_owner

READERS = "admin compliance_officer contributor auditor"
VIEW = permission("engagements.view", "view audit engagements", roles=READERS)
MANAGE = permission(
    "engagements.manage", "create, edit or end audit engagements", roles="admin compliance_officer"
)
ASK = permission(
    "engagements.ask", "add requests to an engagement", roles="admin compliance_officer auditor"
)
SAY = permission("engagements.say", "comment on requests", roles=READERS)
PROVIDE = permission(
    "engagements.provide",
    "respond to audit requests",
    roles="admin compliance_officer contributor",
    only={"contributor": [is_owner]},
)
JUDGE = permission("engagements.judge", "accept or return responses", roles="auditor")
PACKAGE = permission(
    "engagements.package",
    "generate and download evidence packages",
    roles="admin compliance_officer auditor",
)
