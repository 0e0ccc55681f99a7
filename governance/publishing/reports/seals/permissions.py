from governance.kernel.safety.access import permission

VIEW = permission(
    "reports.seals.view",
    "view how reports are sealed",
    roles="admin compliance_officer",
)
MANAGE = permission("reports.seals.manage", "change how reports are sealed", roles="admin")
