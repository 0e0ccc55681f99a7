"""Permissions to view and change finance data of customers. Only for the operator's people."""

from governance.kernel.safety.access import permission

VIEW = permission(
    "revenue.view",
    "view revenue, MRR and accounts",
    roles="operator_admin operator_finance",
)
EDIT = permission(
    "revenue.edit",
    "change accounts and segments",
    roles="operator_admin operator_finance",
)
IMPORT = permission(
    "revenue.import",
    "import accounts, subscriptions, invoices, acquisition and support",
    roles="operator_admin operator_finance",
)
