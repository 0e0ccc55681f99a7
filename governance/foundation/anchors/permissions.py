from governance.kernel.access import permission

VIEW = permission(
    "anchors.view",
    "see where checkpoints are kept outside",
    roles="admin compliance_officer auditor",
)
MANAGE = permission("anchors.manage", "say where checkpoints are kept outside", roles="admin")
