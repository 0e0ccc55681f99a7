"""Who may take everything with them: the tenant's admins alone. An operator only starts it."""

from governance.kernel.safety.access import permission

EXPORT = permission("tenant_exports.export", "export everything of the tenant", roles="admin")
START = permission(
    "tenant_exports.start", "start an export for a tenant's admins", roles="operator_admin"
)
