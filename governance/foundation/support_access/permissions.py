"""Permissions to request access to a tenant, and to decide on it in the tenant."""

from governance.kernel.safety.access import permission

REQUEST = permission(
    "support.request",
    "request access to a tenant's content",
    roles="operator_admin operator_support",
)
VIEW = permission(
    "support.view",
    "view the operator's access to this tenant",
    roles="admin compliance_officer",
)
APPROVE = permission(
    "support.approve", "approve or end the operator's access to this tenant", roles="admin"
)
