"""Permissions for objectives."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "objectives.view",
    "view objectives and their error budgets",
    roles="admin compliance_officer contributor auditor viewer",
)
MANAGE = permission(
    "objectives.manage",
    "create, edit and retire objectives",
    roles="admin compliance_officer",
)
