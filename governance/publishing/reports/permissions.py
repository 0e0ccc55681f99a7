from governance.kernel.safety.access import permission

VIEW = permission(
    "reports.view",
    "view and download reports",
    roles="admin compliance_officer contributor auditor viewer",
)
RUN = permission("reports.run", "generate reports", roles="admin compliance_officer")
