"""Who reads the log, who keeps views of it for the others, and who takes a copy of it away."""

from governance.kernel.access import permission

VIEW = permission("audit.view", "read the audit log", roles="admin compliance_officer auditor")
EXPORT = permission(
    "audit.export", "export the audit log", roles="admin compliance_officer auditor"
)
KEEP = permission("audit.keep", "keep views of the audit log", roles="admin compliance_officer")
