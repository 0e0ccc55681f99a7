from governance.kernel.access import permission

VIEW = permission(
    "collectors.view",
    "see what the console collects",
    roles="admin compliance_officer contributor auditor viewer",
)
RUN = permission("collectors.run", "run a collector", roles="admin compliance_officer")
