"""Who sees and sets budgets, and who in a customer's tenant reads what it is told."""

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
