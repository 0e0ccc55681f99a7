"""Permissions to view the cost of usage at list prices, and to show it to tenants."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "tenant_costs.view",
    "view what AI systems cost at the list prices",
    roles="admin compliance_officer contributor viewer",
)
SHARE = permission(
    "tenant_costs.share",
    "show list prices to tenants",
    roles="operator_admin operator_finance",
)
