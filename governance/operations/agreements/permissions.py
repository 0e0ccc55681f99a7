"""Permissions to view, draft and accept agreements, in a tenant and for the operator."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "agreements.view",
    "view agreements",
    roles="admin compliance_officer contributor auditor viewer",
)
EDIT = permission(
    "agreements.edit",
    "draft and propose agreements",
    roles="admin compliance_officer",
)
ACCEPT = permission("agreements.accept", "accept or end an agreement for the tenant", roles="admin")
OPERATOR_VIEW = permission(
    "agreements.operator_view",
    "view the agreements of all tenants and vendors",
    roles="operator_admin operator_finance",
)
OPERATE = permission(
    "agreements.operate",
    "draft and accept agreements for the provider",
    roles="operator_admin",
)
