"""Who reads the log, and who keeps views of it for the others."""

from governance.kernel.access import permission

VIEW = permission("audit.view", "read the audit log", roles="admin compliance_officer auditor")
KEEP = permission("audit.keep", "keep views of the audit log", roles="admin compliance_officer")
