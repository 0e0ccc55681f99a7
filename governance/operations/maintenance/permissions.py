from governance.kernel.safety.access import permission

VIEW = permission(
    "maintenance.view",
    "view maintenance windows and other exclusions",
    roles="admin compliance_officer contributor auditor viewer",
)
EDIT = permission(
    "maintenance.edit",
    "announce, change and withdraw exclusions",
    roles="admin compliance_officer",
)
APPROVE = permission("maintenance.approve", "approve exclusions", roles="admin compliance_officer")
# Auditors don't have it, since the secret would outlive their engagement.
FEED = permission(
    "maintenance.feed",
    "create the address of the maintenance calendar",
    roles="admin compliance_officer",
)
