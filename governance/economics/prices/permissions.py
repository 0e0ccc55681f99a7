"""Permissions to view and change the price book, and to restate past usage."""

from governance.kernel.safety.access import permission

VIEW = permission("prices.view", "view the price book", roles="operator_admin operator_finance")
EDIT = permission("prices.edit", "add and import prices", roles="operator_admin operator_finance")
RESTATE = permission(
    "prices.restate",
    "request and approve that usage is restated",
    roles="operator_admin operator_finance",
)
