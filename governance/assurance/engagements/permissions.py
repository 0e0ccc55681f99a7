"""Who may do what in an audit engagement; what an auditor sees of it at all is `auditor_scope`."""

from governance.kernel.access import permission
from governance.kernel.conditions import is_owner

READERS = "admin compliance_officer contributor auditor"
VIEW = permission("engagements.view", "see audit engagements", roles=READERS)
MANAGE = permission(
    "engagements.manage", "open, change or end audit engagements", roles="admin compliance_officer"
)
ASK = permission(
    "engagements.ask", "add requests of an engagement", roles="admin compliance_officer auditor"
)
SAY = permission("engagements.say", "write in the thread of a request", roles=READERS)
PROVIDE = permission(
    "engagements.provide",
    "answer requests of an engagement",
    roles="admin compliance_officer contributor",
    only={"contributor": [is_owner]},
)
JUDGE = permission("engagements.judge", "accept or return what was provided", roles="auditor")
PACKAGE = permission(
    "engagements.package",
    "make and take evidence packages",
    roles="admin compliance_officer auditor",
)
