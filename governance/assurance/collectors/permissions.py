from governance.kernel.safety.access import permission

VIEW = permission(
    "collectors.view",
    "view collectors and their runs",
    roles="admin compliance_officer contributor auditor viewer",
)
RUN = permission("collectors.run", "run a collector", roles="admin compliance_officer")
