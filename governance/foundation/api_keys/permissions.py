from governance.kernel.safety.access import permission

VIEW = permission("api_keys.view", "view API keys", roles="admin compliance_officer operator_admin")
MANAGE = permission(
    "api_keys.manage", "create, rotate or revoke API keys", roles="admin operator_admin"
)
