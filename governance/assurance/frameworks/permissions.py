from governance.kernel.safety.access import permission

VIEW = permission(
    "frameworks.view",
    "view frameworks",
    roles="admin compliance_officer contributor auditor viewer",
)
ADOPT = permission("frameworks.adopt", "adopt a framework", roles="admin compliance_officer")
IMPORT = permission("frameworks.import", "import official texts", roles="admin compliance_officer")
INSTALLED = permission(
    "frameworks.installed",
    "view the installed catalogues",
    roles="operator_admin operator_finance operator_support",
)
