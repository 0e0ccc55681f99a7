"""Permissions to export everything: only the tenant's admins. An operator can only start it."""

from governance.kernel.safety.access import permission

EXPORT = permission("tenant_exports.export", "export everything of the tenant", roles="admin")
START = permission(
    "tenant_exports.start", "start an export for a tenant's admins", roles="operator_admin"
)
