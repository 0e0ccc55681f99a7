from governance.kernel.access import permission

VIEW = permission(
    "tenants.view",
    "see the list of tenants",
    roles="operator_admin operator_finance operator_support",
)
FOUND = permission("tenants.found", "found a tenant", roles="operator_admin")
EDIT = permission("tenants.edit", "change the tenant's settings", roles="admin")
SEE = permission(
    "tenants.settings",
    "see the tenant's settings",
    roles="admin compliance_officer contributor auditor viewer",
)
