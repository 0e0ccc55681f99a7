"""Permissions to view and to enter billed costs."""

from governance.kernel.safety.access import permission

VIEW = permission("costs.view", "view what providers bill", roles="operator_admin operator_finance")
EDIT = permission(
    "costs.edit",
    "import bills, enter costs by hand and place charges",
    roles="operator_admin operator_finance",
)
