from governance.kernel.access import permission

VIEW = permission(
    "policies.view",
    "see the policy in force",
    roles="admin compliance_officer contributor auditor viewer",
)
DRAFT = permission("policies.draft", "draft and tighten the policy", roles="admin")
APPROVE = permission(
    "policies.approve", "decide on a looser policy", roles="admin compliance_officer"
)
WAIVE = permission(
    "policies.waive", "request a waiver, or approve one", roles="admin compliance_officer"
)
PLATFORM = permission(
    "platform.view",
    "view the platform minimum",
    roles="operator_admin operator_finance operator_support",
)
FLOOR = permission(
    "platform.change", "change the platform minimum and the tiers", roles="operator_admin"
)
