"""Permissions to view and enter exchange rates."""

from governance.kernel.safety.access import permission

VIEW = permission("rates.view", "view exchange rates", roles="operator_admin operator_finance")
EDIT = permission(
    "rates.edit",
    "enter exchange rates and choose the reporting currency",
    roles="operator_admin operator_finance",
)
