from governance.kernel.safety.access import permission

VIEW = permission(
    "anchors.view",
    "view external witnesses of the audit log",
    roles="admin compliance_officer auditor",
)
MANAGE = permission("anchors.manage", "add and remove external witnesses", roles="admin")
