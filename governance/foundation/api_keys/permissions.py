from governance.kernel.access import permission

VIEW = permission(
    "api_keys.view", "see the keys of machines", roles="admin compliance_officer operator_admin"
)
MANAGE = permission(
    "api_keys.manage", "make, rotate or revoke keys of machines", roles="admin operator_admin"
)
