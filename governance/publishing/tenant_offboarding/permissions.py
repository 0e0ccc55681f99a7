"""Permissions to delete a tenant. It takes two operators, each an admin."""

from governance.kernel.safety.access import permission

OFFBOARD = permission(
    "tenant_offboarding.offboard", "delete a tenant with all of its data", roles="operator_admin"
)
