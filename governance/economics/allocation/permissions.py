"""Permissions to view, propose and approve allocation rules."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "allocation.view",
    "view how shared cost is allocated",
    roles="operator_admin operator_finance",
)
CHANGE = permission(
    "allocation.change",
    "propose and approve allocation rules",
    roles="operator_admin operator_finance",
)
