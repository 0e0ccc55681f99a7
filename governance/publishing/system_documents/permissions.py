"""Permissions to read, write and complete the documents of AI systems."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "system_documents.view",
    "view the documents of AI systems",
    roles="admin compliance_officer contributor auditor viewer",
)
WRITE = permission(
    "system_documents.write",
    "write the documents of AI systems",
    roles="admin compliance_officer contributor",
)
COMPLETE = permission(
    "system_documents.complete",
    "complete the documents of AI systems",
    roles="admin compliance_officer",
)
EXPORT = permission(
    "system_documents.export",
    "generate and download documents of AI systems as signed files",
    roles="admin compliance_officer",
)
