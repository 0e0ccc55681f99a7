"""Permissions to view, edit and run playbooks."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "playbooks.view",
    "view playbooks and their runs",
    roles="admin compliance_officer contributor auditor viewer",
)
EDIT = permission(
    "playbooks.edit", "create, edit and retire playbooks", roles="admin compliance_officer"
)
RUN = permission(
    "playbooks.run",
    "run playbooks and record their steps",
    roles="admin compliance_officer contributor",
)
