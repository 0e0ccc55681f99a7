"""Who views and changes the price book."""

from governance.kernel.access import permission

VIEW = permission("prices.view", "view the price book", roles="operator_admin operator_finance")
EDIT = permission("prices.edit", "add and import prices", roles="operator_admin operator_finance")
