"""Who may read the log, save views of it for everyone, and export it."""

from governance.kernel.access import permission

VIEW = permission("audit.view", "read the audit log", roles="admin compliance_officer auditor")
EXPORT = permission(
    "audit.export", "export the audit log", roles="admin compliance_officer auditor"
)
KEEP = permission("audit.keep", "save views of the audit log", roles="admin compliance_officer")
