"""Permissions for risks. Contributors edit only the risks they own."""

from governance.kernel.safety.access import permission
from governance.kernel.safety.conditions import is_owner

VIEW = permission(
    "risks.view", "view risks", roles="admin compliance_officer contributor auditor viewer"
)
MANAGE = permission(
    "risks.manage",
    "create, assign and close risks, and change the scale",
    roles="admin compliance_officer",
)
WORK = permission(
    "risks.work",
    "edit a risk or request its acceptance",
    roles="admin compliance_officer contributor",
    only={"contributor": [is_owner]},
)
ACCEPT = permission("risks.accept", "accept risks", roles="admin compliance_officer")
