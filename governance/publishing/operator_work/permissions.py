"""Permissions to manage the installation's own work."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "platform_work.view",
    "view queues and jobs of the installation",
    roles="operator_admin operator_support",
)
MANAGE = permission(
    "platform_work.manage", "retry or cancel a tenant's background work", roles="operator_admin"
)
