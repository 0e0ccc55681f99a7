"""Permissions to send and to view usage."""

from governance.kernel.safety.access import permission, scope

USAGE_WRITE = scope("usage:write", "send usage events of AI products")

VIEW = permission(
    "usage.view",
    "view requests and tokens of AI systems",
    roles="admin compliance_officer contributor auditor viewer",
)
PUSH = permission("usage.push", "send usage events of AI products", scopes=USAGE_WRITE)
