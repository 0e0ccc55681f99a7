from governance.kernel.access import permission

VIEW = permission(
    "reports.view",
    "see and download reports",
    roles="admin compliance_officer contributor auditor viewer",
)
RUN = permission("reports.run", "make a report", roles="admin compliance_officer")
