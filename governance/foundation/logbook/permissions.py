"""Permissions to read the log, save views of it for everyone, and export it."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "audit.view", "read the audit log", roles="admin compliance_officer auditor operator_admin"
)
EXPORT = permission(
    "audit.export", "export the audit log", roles="admin compliance_officer auditor operator_admin"
)
KEEP = permission(
    "audit.keep", "save views of the audit log", roles="admin compliance_officer operator_admin"
)
