"""Permissions for indicators."""

from governance.kernel.safety.access import permission, scope

INDICATORS_WRITE = scope("indicators:write", "send minute counts of indicators")

VIEW = permission(
    "indicators.view",
    "view indicators",
    roles="admin compliance_officer contributor auditor viewer",
)
MANAGE = permission(
    "indicators.manage", "define or retire indicators", roles="admin compliance_officer"
)
PUSH = permission("indicators.push", "send minute counts of indicators", scopes=INDICATORS_WRITE)
