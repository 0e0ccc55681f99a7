from governance.kernel.safety.access import permission

VIEW = permission(
    "policies.view",
    "view the policy in force",
    roles="admin compliance_officer contributor auditor viewer",
)
DRAFT = permission("policies.draft", "draft and tighten the policy", roles="admin")
APPROVE = permission(
    "policies.approve", "approve a looser policy", roles="admin compliance_officer"
)
WAIVE = permission(
    "policies.waive", "request or approve a waiver", roles="admin compliance_officer"
)
PLATFORM = permission(
    "platform.view",
    "view the platform minimum",
    roles="operator_admin operator_finance operator_support",
)
FLOOR = permission(
    "platform.change", "change the platform minimum and the tiers", roles="operator_admin"
)
