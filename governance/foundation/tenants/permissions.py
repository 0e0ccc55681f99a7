from governance.kernel.safety.access import permission

VIEW = permission(
    "tenants.view",
    "view the list of tenants",
    roles="operator_admin operator_finance operator_support",
)
FOUND = permission("tenants.found", "create a tenant", roles="operator_admin")
SUSPEND = permission("tenants.suspend", "suspend or resume a tenant", roles="operator_admin")
EDIT = permission("tenants.edit", "change the tenant's settings", roles="admin")
SEE = permission(
    "tenants.settings",
    "view the tenant's settings",
    roles="admin compliance_officer contributor auditor viewer",
)
