"""Who may delete a tenant: two operators, each an admin."""

from governance.kernel.access import permission

OFFBOARD = permission(
    "tenant_offboarding.offboard", "delete a tenant with everything it has", roles="operator_admin"
)
