"""Permissions to read, write and approve changes for customers."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "change_log.view",
    "view the change log for customers, its drafts included",
    roles="admin compliance_officer contributor auditor viewer",
)
WRITE = permission(
    "change_log.write",
    "write and edit changes for customers, discard them, and request their approval",
    roles="admin compliance_officer contributor",
)
APPROVE = permission(
    "change_log.approve",
    "approve changes for customers, which publishes them, and withdraw them",
    roles="admin compliance_officer",
)
OPEN = permission(
    "change_log.open",
    "switch the public page of the change log on and off, and replace its address",
    roles="admin",
)
