from governance.kernel.safety.access import permission

VIEW = permission(
    "webhooks.view",
    "view webhook endpoints and their deliveries",
    roles="admin compliance_officer operator_admin",
)
REPLAY = permission(
    "webhooks.replay",
    "send test events and replay deliveries",
    roles="admin compliance_officer operator_admin",
)
MANAGE = permission(
    "webhooks.manage", "add and change webhook endpoints", roles="admin operator_admin"
)
