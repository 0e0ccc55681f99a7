"""Permissions to view and set budgets, and to view a customer's budget notices."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "cost_budgets.view",
    "view budgets of AI cost",
    roles="operator_admin operator_finance",
)
EDIT = permission(
    "cost_budgets.edit",
    "set budgets of AI cost",
    roles="operator_admin operator_finance",
)
NOTICES = permission(
    "cost_budgets.notices",
    "view budget notices of AI cost",
    roles="admin compliance_officer",
)
