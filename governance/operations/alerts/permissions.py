"""Permissions for alerts."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "alerts.view",
    "view alerts",
    roles="admin compliance_officer contributor auditor viewer",
)
ACKNOWLEDGE = permission(
    "alerts.acknowledge", "acknowledge alerts", roles="admin compliance_officer contributor"
)
RESPOND = permission(
    "alerts.respond",
    "choose what happens when an error budget is gone",
    roles="admin compliance_officer",
)
